// SPDX-License-Identifier: Apache-2.0
// BankNodeStore's forgetting: announcements, the erasing transactions, tombstones.
#include <algorithm>

#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/redaction_writer.h"

namespace mc::storage {

Result<std::vector<Tombstone>> BankNodeStore::read_tombstones(
    const std::string& first, std::optional<DocumentKey> (*parse)(std::string_view)) const {
    std::vector<Tombstone> found;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        return txn.scan(
            Database::kDocuments, first, [&](std::string_view key, ByteView value) -> Result<bool> {
                const auto parsed = parse(key);
                if (!parsed || parsed->bank != bank_.id) return false;
                auto one = decode_tombstone({Database::kDocuments, key}, value);
                if (!one)
                    return fail(
                        corrupt_record(parts_.directory, Database::kDocuments, key, one.error()));
                found.push_back(std::move(*one));
                return true;
            });
    }));
    return found;
}

Result<std::vector<Tombstone>> BankNodeStore::tombstones() const {
    return read_tombstones(tombstone_key(bank_.id, DocumentId(0)), parse_tombstone_key);
}

Result<std::vector<Tombstone>> BankNodeStore::announced_forgets() const {
    return read_tombstones(announcement_key(bank_.id, DocumentId(0)), parse_announcement_key);
}

Result<void> BankNodeStore::announce_forgets(std::span<const Tombstone> tombstones) {
    MC_TRY(parts_.require_writable());
    for (const Tombstone& tombstone : tombstones)
        if (tombstone.reason.size() > kForgetReasonBytesMax)
            return fail(
                ErrorCode::kInvalidInput,
                "a reason of more than " + std::to_string(kForgetReasonBytesMax) + " bytes");
    return parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        for (Tombstone announced : tombstones) {
            MC_ASSIGN(const StoredDocument stored, require_document(txn, announced.document));
            announced.token_count = stored.record.token_count;
            MC_TRY(put_record(txn, Database::kDocuments,
                              announcement_key(bank_.id, announced.document), encode_tombstone,
                              announced));
        }
        return {};
    });
}

Result<CommitNumber> BankNodeStore::forget(DocumentId document) {
    MC_TRY(parts_.require_writable());
    CommitNumber number;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(const StoredDocument stored, require_document(txn, document));
        const std::string announced = announcement_key(bank_.id, document);
        MC_ASSIGN(const Tombstone tombstone,
                  require_record(txn, Database::kDocuments, announced, decode_tombstone));
        const std::string prefix = token_key(document, 0).substr(0, sizeof(document.value));
        for (const Database database : {Database::kTokens, Database::kGists, Database::kStats})
            MC_TRY(erase_prefix(txn, database, prefix));
        MC_TRY(erase_original(txn, document));
        MC_TRY(erase_source(txn, stored.record));
        MC_TRY(txn.erase(Database::kDocuments, key_of(stored.record)));
        MC_TRY(txn.erase(Database::kDocuments, announced));
        MC_TRY(put_record(txn, Database::kDocuments, tombstone_key(bank_.id, document),
                          encode_tombstone, tombstone));
        MC_ASSIGN(number, append_journal(txn, {document, {0, 0}}));
        return {};
    }));
    return number;
}

Result<CommitNumber> BankNodeStore::redact(const Redaction& redaction) {
    MC_TRY(parts_.require_writable());
    MC_ASSIGN(const GistCoder* coder, parts_.require_coder());
    const DocumentId document = redaction.document.id;
    CommitNumber number;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(StoredDocument stored, require_standing(txn, document));
        const std::string announced = announcement_key(bank_.id, document);
        MC_TRY(require_record(txn, Database::kDocuments, announced, decode_tombstone));
        MC_TRY(write_redaction(txn, parts_.meta, *coder, stored, redaction));
        MC_TRY(erase_original_bytes(txn, document, redaction.places));
        MC_TRY(txn.erase(Database::kDocuments, announced));
        for (const TokenSpan span : redaction.unindexed) {
            MC_ASSIGN(number, append_journal(txn, {document, span}));
        }
        return {};
    }));
    return number;
}

// The document no longer stands under its name.
Result<void> BankNodeStore::erase_source(WriteTransaction& txn, const DocumentRecord& record) {
    const std::string key = source_key(bank_.id, record.source_name);
    MC_ASSIGN(auto ids, documents_of_source(txn, record.source_name));
    std::erase(ids, record.id);
    if (ids.empty()) return txn.erase(Database::kDocuments, key);
    return put_record(txn, Database::kDocuments, key, encode_source, ids);
}

}  // namespace mc::storage
