// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/bank_node_store.h"

#include <algorithm>
#include <map>

#include "core/check.h"
#include "core/span_math.h"
#include "formats/half_float.h"
#include "storage/lmdb/batch_writer.h"

namespace mc::storage {
namespace {

std::string span_text(std::uint64_t begin, std::uint64_t end) {
    return "[" + std::to_string(begin) + ", " + std::to_string(end) + ")";
}

GistGroup decode_gists(const StoredGroup& stored, const GistCoder& coder, const GistShape& shape,
                       GistGroup group) {
    const std::size_t gist_bytes = coder.gist_bytes();
    for (std::size_t i = 0; i < stored.count; ++i) {
        Gist gist;
        gist.kv.resize(shape.kv_count());
        coder.decode(std::span(stored.kv).subspan(i * gist_bytes, gist_bytes), gist.kv);
        for (std::size_t j = 0; j < shape.index_dim; ++j)
            gist.index_vector.push_back(
                half_to_float(stored.index_vectors[i * shape.index_dim + j]));
        if (!stored.log_mass.empty()) {
            const auto own = std::span(stored.log_mass)
                                 .subspan(i * shape.log_mass_count(), shape.log_mass_count());
            gist.log_mass.assign(own.begin(), own.end());
        }
        gist.statistics = {stored.mean_nll[i], stored.mean_entropy[i]};
        group.gists.push_back(std::move(gist));
    }
    return group;
}

}  // namespace

Result<void> check_draft(const DocumentRecord& draft) {
    std::size_t metadata_bytes = 0;
    for (const auto& [key, value] : draft.metadata) metadata_bytes += key.size() + value.size();
    if (draft.source_name.size() > kSourceNameBytesMax)
        return fail(ErrorCode::kInvalidInput,
                    "a source name of more than " + std::to_string(kSourceNameBytesMax) + " bytes");
    if (metadata_bytes + draft.media_type.size() > kMetadataBytesMax)
        return fail(ErrorCode::kInvalidInput,
                    "document \"" + draft.source_name + "\" has more than " +
                        std::to_string(kMetadataBytesMax) + " bytes of metadata");
    return {};
}

Result<StoredDocument> BankNodeStore::require_standing(const ReadTransaction& txn,
                                                       DocumentId document) const {
    MC_ASSIGN(auto found, find_record(txn, Database::kDocuments, document_key(bank_.id, document),
                                      decode_document));
    if (found) return std::move(*found);
    return fail(ErrorCode::kInvalidInput,
                "bank \"" + bank_.name + "\" has no document " + std::to_string(document.value));
}

Result<StoredDocument> BankNodeStore::require_document(const ReadTransaction& txn,
                                                       DocumentId document) const {
    MC_ASSIGN(auto version, find_record(txn, Database::kDocuments, version_key(bank_.id, document),
                                        decode_document));
    return version ? Result<StoredDocument>(std::move(*version)) : require_standing(txn, document);
}

Result<std::vector<DocumentRecord>> BankNodeStore::list_records(
    const std::string& first, std::optional<DocumentKey> (*parse)(std::string_view)) const {
    std::vector<DocumentRecord> documents;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        return txn.scan(Database::kDocuments, first,
                        [&](std::string_view key, ByteView value) -> Result<bool> {
                            const auto parsed = parse(key);
                            if (!parsed || parsed->bank != bank_.id) return false;
                            auto document = decode_document({Database::kDocuments, key}, value);
                            if (!document)
                                return fail(corrupt_record(parts_.directory, Database::kDocuments,
                                                           key, document.error()));
                            documents.push_back(std::move(document->record));
                            return true;
                        });
    }));
    return documents;
}

Result<std::vector<DocumentRecord>> BankNodeStore::list_documents() const {
    return list_records(document_key(bank_.id, DocumentId(0)), parse_document_key);
}

Result<std::vector<DocumentRecord>> BankNodeStore::newest_documents(std::size_t count) const {
    std::vector<DocumentRecord> documents;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        std::string bound = document_key(BankId(bank_.id.value + 1), DocumentId(0));
        while (documents.size() < count) {
            MC_ASSIGN(const auto key, txn.last_key_below(Database::kDocuments, bound));
            const auto parsed = key ? parse_document_key(*key) : std::nullopt;
            if (!parsed || parsed->bank != bank_.id) break;
            bound = *key;
            MC_ASSIGN(auto stored,
                      require_record(txn, Database::kDocuments, *key, decode_document));
            if (stored.record.token_count > 0) documents.push_back(std::move(stored.record));
        }
        return {};
    }));
    return documents;
}

Result<std::optional<DocumentRecord>> BankNodeStore::find_document(DocumentId document) const {
    std::optional<DocumentRecord> result;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(auto found, find_record(txn, Database::kDocuments,
                                          document_key(bank_.id, document), decode_document));
        if (found) result = std::move(found->record);
        return {};
    }));
    return result;
}

Result<std::vector<DocumentId>> BankNodeStore::documents_of_source(
    const ReadTransaction& txn, std::string_view source_name) const {
    MC_ASSIGN(auto found, find_record(txn, Database::kDocuments, source_key(bank_.id, source_name),
                                      decode_source));
    return found ? std::move(*found) : std::vector<DocumentId>();
}

Result<std::optional<StoredDocument>> BankNodeStore::find_by_source(
    const ReadTransaction& txn, std::string_view source_name) const {
    MC_ASSIGN(const auto ids, documents_of_source(txn, source_name));
    for (const DocumentId id : ids) {
        MC_ASSIGN(auto found, find_record(txn, Database::kDocuments, document_key(bank_.id, id),
                                          decode_document));
        if (found && found->record.source_name == source_name) return found;
    }
    return std::optional<StoredDocument>();
}

Result<std::optional<DocumentRecord>> BankNodeStore::find_document_by_source(
    std::string_view source_name) const {
    std::optional<DocumentRecord> result;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(auto found, find_by_source(txn, source_name));
        if (found) result = std::move(found->record);
        return {};
    }));
    return result;
}

Result<std::vector<TokenId>> BankNodeStore::read_tokens(DocumentId document, TokenSpan span) const {
    std::vector<TokenId> tokens;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const StoredDocument stored, require_document(txn, document));
        if (span.begin > span.end || span.end > stored.record.token_count)
            return fail(ErrorCode::kInvalidInput,
                        "tokens " + span_text(span.begin, span.end) + " are not within document " +
                            std::to_string(document.value) + ", which has " +
                            std::to_string(stored.record.token_count));
        std::uint64_t position = span.begin;
        while (position < span.end) {
            const std::uint64_t index = position / kTokenMarkStride;
            MC_ASSIGN(const TokenChunk chunk, require_chunk(txn, stored.record, index));
            const std::uint64_t chunk_begin = index * kTokenMarkStride;
            const std::uint64_t end = std::min(span.end, chunk_begin + chunk.tokens.size());
            tokens.insert(
                tokens.end(),
                chunk.tokens.begin() + static_cast<std::ptrdiff_t>(position - chunk_begin),
                chunk.tokens.begin() + static_cast<std::ptrdiff_t>(end - chunk_begin));
            position = end;
        }
        return {};
    }));
    return tokens;
}

Result<TokenByteMark> BankNodeStore::mark_before_byte(DocumentId document,
                                                      std::uint64_t byte) const {
    TokenByteMark mark;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const StoredDocument stored, require_document(txn, document));
        if (byte > stored.record.byte_count)
            return fail(ErrorCode::kInvalidInput,
                        "byte " + std::to_string(byte) + " is beyond document " +
                            std::to_string(document.value) + ", which has " +
                            std::to_string(stored.record.byte_count));
        // Chunks below low start at or before the byte; those from high on start after it.
        std::uint64_t low = 0;
        std::uint64_t high = (stored.record.token_count + kTokenMarkStride - 1) / kTokenMarkStride;
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            MC_ASSIGN(const TokenChunk chunk, require_chunk(txn, stored.record, middle));
            if (chunk.first_byte <= byte) {
                mark = {middle * kTokenMarkStride, chunk.first_byte};
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return {};
    }));
    return mark;
}

Result<TokenByteMark> BankNodeStore::mark_before_token(DocumentId document,
                                                       std::uint64_t token) const {
    TokenByteMark mark;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const StoredDocument stored, require_document(txn, document));
        const std::uint64_t count = stored.record.token_count;
        if (token > count)
            return fail(ErrorCode::kInvalidInput, "token " + std::to_string(token) +
                                                      " is beyond document " +
                                                      std::to_string(document.value) +
                                                      ", which has " + std::to_string(count));
        if (count == 0) return {};
        // The position just after the last token may belong to no chunk yet.
        const std::uint64_t index = std::min(token, count - 1) / kTokenMarkStride;
        MC_ASSIGN(const TokenChunk chunk, require_chunk(txn, stored.record, index));
        mark = {index * kTokenMarkStride, chunk.first_byte};
        return {};
    }));
    return mark;
}

Result<std::optional<GistGroup>> BankNodeStore::find_gists(DocumentId document, Level level,
                                                           NodeIndex parent) const {
    MC_CHECK(level >= Level(1) && level <= kLevelMax, "gists have levels 1 to kLevelMax");
    std::optional<GistGroup> group;
    MC_ASSIGN(const GistCoder* coder, parts_.require_coder());
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const StoredDocument stored, require_document(txn, document));
        if (level.value > stored.gist_counts.size() ||
            group_size(stored.gist_counts[level.value - 1u], parent) == 0)
            return {};
        MC_ASSIGN(const StoredGroup found, require_group(txn, parts_.meta, stored, level, parent));
        group = decode_gists(found, *coder, parts_.meta.identity.encoder.shape,
                             {document, level, parent, {}});
        return {};
    }));
    return group;
}

Result<void> BankNodeStore::check_name_is_free(const ReadTransaction& txn,
                                               std::string_view source_name) const {
    MC_ASSIGN(const auto taken, find_by_source(txn, source_name));
    if (!taken) return {};
    return fail(ErrorCode::kInvalidInput, "bank \"" + bank_.name + "\" has a document \"" +
                                              std::string(source_name) + "\" already");
}

Result<void> BankNodeStore::add_source(WriteTransaction& txn, const DocumentRecord& record) {
    MC_ASSIGN(auto ids, documents_of_source(txn, record.source_name));
    ids.push_back(record.id);
    return put_record(txn, Database::kDocuments, source_key(bank_.id, record.source_name),
                      encode_source, ids);
}

Result<DocumentRecord> BankNodeStore::create_document(const DocumentRecord& draft) {
    MC_TRY(parts_.require_writable());
    MC_TRY(check_draft(draft));
    DocumentRecord made;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(made, create_in(txn, draft));
        return {};
    }));
    return made;
}

Result<DocumentRecord> BankNodeStore::create_in(WriteTransaction& txn,
                                                const DocumentRecord& draft) {
    MC_TRY(check_name_is_free(txn, draft.source_name));
    MC_ASSIGN(Counters counters,
              require_record(txn, Database::kMeta, kCountersKey, decode_counters));
    StoredDocument made;
    made.record = draft;
    made.record.id = DocumentId(counters.next_document++);
    made.record.bank = bank_.id;
    made.record.token_count = 0;
    made.record.gist_end = 0;
    made.record.byte_count = 0;
    made.record.superseded_us = 0;
    MC_TRY(number_version(txn, made.record));
    MC_TRY(add_source(txn, made.record));
    MC_TRY(put_record(txn, Database::kDocuments, key_of(made.record), encode_document, made));
    MC_TRY(put_record(txn, Database::kMeta, kCountersKey, encode_counters, counters));
    return made.record;
}

Result<CommitNumber> BankNodeStore::commit(const IngestBatch& batch) {
    MC_TRY(parts_.require_writable());
    MC_ASSIGN(const GistCoder* coder, parts_.require_coder());
    CommitNumber number;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(StoredDocument stored, require_standing(txn, batch.document.id));
        const TokenSpan added{stored.record.token_count, batch.document.token_count};
        const DocumentRecord before = stored.record;
        MC_TRY(write_batch(txn, parts_.meta, *coder, stored, batch));
        if (added.empty() && !batch.gists.empty()) {  // no index holds anything of gists
            MC_ASSIGN(const Counters counters,
                      require_record(txn, Database::kMeta, kCountersKey, decode_counters));
            number = CommitNumber(counters.last_commit);
            return {};
        }
        std::int64_t added_us = 0;
        if (!added.empty()) {
            MC_ASSIGN(added_us, addition_us(txn, before, batch.document));
        }
        MC_ASSIGN(number, append_journal(txn, {batch.document.id, added, added_us}));
        return {};
    }));
    return number;
}

// However many commits it takes: a source's first text counts from when its document was made, what
// is added to a complete one from now on, the rest of either as its beginning does.
Result<std::int64_t> BankNodeStore::addition_us(const WriteTransaction& txn,
                                                const DocumentRecord& before,
                                                const DocumentRecord& after) const {
    if (before.token_count == 0) return after.created_us;
    if (before.complete) return after.updated_us;
    std::string bound = journal_key(BankId(bank_.id.value + 1), CommitNumber(0));
    while (true) {
        MC_ASSIGN(const auto key, txn.last_key_below(Database::kJournal, bound));
        const auto parsed = key ? parse_journal_key(*key) : std::nullopt;
        if (!parsed || parsed->bank != bank_.id) return after.created_us;
        MC_ASSIGN(const JournalRecord entry,
                  require_record(txn, Database::kJournal, *key, decode_journal));
        if (entry.document == after.id && entry.tokens.end == before.token_count)
            return entry.added_us;
        bound = *key;
    }
}

Result<CommitNumber> BankNodeStore::append_journal(WriteTransaction& txn,
                                                   const JournalRecord& entry) {
    MC_ASSIGN(Counters counters,
              require_record(txn, Database::kMeta, kCountersKey, decode_counters));
    const CommitNumber number(++counters.last_commit);
    MC_TRY(put_record(txn, Database::kMeta, kCountersKey, encode_counters, counters));
    MC_TRY(
        put_record(txn, Database::kJournal, journal_key(bank_.id, number), encode_journal, entry));
    return number;
}

Result<std::vector<JournalEntry>> BankNodeStore::journal_between(CommitNumber commit,
                                                                 CommitNumber last) const {
    std::vector<JournalEntry> entries;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        return txn.scan(Database::kJournal, journal_key(bank_.id, commit),
                        [&](std::string_view key, ByteView value) -> Result<bool> {
                            const auto parsed = parse_journal_key(key);
                            if (!parsed || parsed->bank != bank_.id) return false;
                            if (parsed->commit > last) return false;
                            if (parsed->commit == commit) return true;
                            const auto entry = decode_journal({Database::kJournal, key}, value);
                            if (!entry)
                                return fail(corrupt_record(parts_.directory, Database::kJournal,
                                                           key, entry.error()));
                            entries.push_back(
                                {parsed->commit, entry->document, entry->tokens, entry->added_us});
                            return true;
                        });
    }));
    return entries;
}

Result<CommitNumber> BankNodeStore::last_commit() const {
    CommitNumber last;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        const std::string bound = journal_key(BankId(bank_.id.value + 1), CommitNumber(0));
        MC_ASSIGN(const auto key, txn.last_key_below(Database::kJournal, bound));
        const auto parsed = key ? parse_journal_key(*key) : std::nullopt;
        if (parsed && parsed->bank == bank_.id) last = parsed->commit;
        return {};
    }));
    return last;
}

Result<UseGroup> BankNodeStore::use_group(const ReadTransaction& txn, NodeId node) const {
    MC_CHECK(node.level >= Level(1) && node.level <= kLevelMax, "raw tokens have no use counts");
    MC_TRY(require_document(txn, node.document));
    const std::string key =
        group_key(node.document, node.level, NodeIndex(node.index.value >> kBlockBits));
    MC_ASSIGN(auto found, find_record(txn, Database::kStats, key, decode_uses));
    return found ? std::move(*found) : UseGroup{};
}

Result<NodeUse> BankNodeStore::node_use(NodeId node) const {
    NodeUse use;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const UseGroup group, use_group(txn, node));
        const std::uint64_t slot = slot_in_parent(node);
        if (slot < group.uses.size()) use = group.uses[slot];
        return {};
    }));
    return use;
}

Result<void> BankNodeStore::record_use(std::span<const NodeId> nodes, std::int64_t now_us) {
    MC_TRY(parts_.require_writable());
    return parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        // By group, so that each value is written once.
        std::map<std::string, UseGroup> groups;
        for (const NodeId node : nodes) {
            const NodeIndex parent(node.index.value >> kBlockBits);
            const std::string key = group_key(node.document, node.level, parent);
            auto place = groups.find(key);
            if (place == groups.end()) {
                MC_ASSIGN(UseGroup found, use_group(txn, node));
                place = groups.emplace(key, std::move(found)).first;
            }
            std::vector<NodeUse>& uses = place->second.uses;
            const std::uint64_t slot = slot_in_parent(node);
            if (uses.size() <= slot) uses.resize(slot + 1);
            ++uses[slot].access_count;
            uses[slot].last_used_us = std::max(uses[slot].last_used_us, now_us);
        }
        for (const auto& [key, group] : groups)
            MC_TRY(put_record(txn, Database::kStats, key, encode_uses, group));
        return {};
    });
}

}  // namespace mc::storage
