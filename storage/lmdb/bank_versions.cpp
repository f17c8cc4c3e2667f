// SPDX-License-Identifier: Apache-2.0
// BankNodeStore's versions: documents that were replaced and kept.
#include <algorithm>

#include "core/check.h"
#include "storage/lmdb/bank_node_store.h"

namespace mc::storage {

Result<std::vector<DocumentRecord>> BankNodeStore::list_versions() const {
    return list_records(version_key(bank_.id, DocumentId(0)), parse_version_key);
}

Result<std::optional<DocumentRecord>> BankNodeStore::find_version(DocumentId document) const {
    std::optional<DocumentRecord> result;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(auto found, find_record(txn, Database::kDocuments,
                                          version_key(bank_.id, document), decode_document));
        if (found) result = std::move(found->record);
        return {};
    }));
    return result;
}

Result<std::vector<StoredDocument>> BankNodeStore::read_versions(
    const ReadTransaction& txn, std::string_view source_name) const {
    MC_ASSIGN(const auto ids, documents_of_source(txn, source_name));
    std::vector<StoredDocument> versions;
    for (const DocumentId id : ids) {
        MC_ASSIGN(auto found, find_record(txn, Database::kDocuments, version_key(bank_.id, id),
                                          decode_document));
        if (found && found->record.source_name == source_name)
            versions.push_back(std::move(*found));
    }
    std::ranges::sort(versions, {}, [](const auto& one) { return one.record.version; });
    return versions;
}

Result<std::vector<DocumentRecord>> BankNodeStore::versions_of(std::string_view source_name) const {
    std::vector<DocumentRecord> versions;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(auto found, read_versions(txn, source_name));
        for (StoredDocument& one : found) versions.push_back(std::move(one.record));
        return {};
    }));
    return versions;
}

// A version has the number that it had; a document that stands has one behind all of them.
Result<void> BankNodeStore::number_version(const ReadTransaction& txn,
                                           DocumentRecord& record) const {
    if (is_superseded(record)) return {};
    MC_ASSIGN(const auto versions, read_versions(txn, record.source_name));
    if (!versions.empty())
        record.version = std::max(record.version, versions.back().record.version + 1);
    return {};
}

Result<DocumentRecord> BankNodeStore::replace_document(const DocumentRecord& draft,
                                                       const Succession& succession) {
    MC_TRY(parts_.require_writable());
    MC_TRY(check_draft(draft));
    DocumentRecord made;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_TRY(supersede(txn, succession, draft.source_name));
        MC_ASSIGN(made, create_in(txn, draft));
        return {};
    }));
    return made;
}

// The journal's entry adds no token: it tells indexes to look at the document again.
Result<void> BankNodeStore::supersede(WriteTransaction& txn, const Succession& succession,
                                      std::string_view source_name) {
    MC_ASSIGN(StoredDocument old, require_standing(txn, succession.old));
    MC_CHECK(old.record.source_name == source_name, "a successor of another name");
    MC_CHECK(succession.at_us != 0 && succession.versions_kept > 0, "a succession that keeps none");
    MC_TRY(txn.erase(Database::kDocuments, key_of(old.record)));
    old.record.superseded_us = succession.at_us;
    MC_TRY(put_record(txn, Database::kDocuments, key_of(old.record), encode_document, old));
    MC_TRY(append_journal(txn, {old.record.id, {old.record.token_count, old.record.token_count}}));
    return announce_old_versions(txn, succession, source_name);
}

Result<void> BankNodeStore::announce_old_versions(WriteTransaction& txn,
                                                  const Succession& succession,
                                                  std::string_view source_name) {
    MC_ASSIGN(const auto versions, read_versions(txn, source_name));
    const std::size_t kept = std::min<std::uint64_t>(versions.size(), succession.versions_kept);
    for (std::size_t i = 0; i + kept < versions.size(); ++i) {
        const DocumentRecord& record = versions[i].record;
        MC_TRY(put_record(
            txn, Database::kDocuments, announcement_key(bank_.id, record.id), encode_tombstone,
            Tombstone{record.id, succession.at_us, record.token_count, succession.reason}));
    }
    return {};
}

}  // namespace mc::storage
