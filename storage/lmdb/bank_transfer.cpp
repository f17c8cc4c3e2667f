// SPDX-License-Identifier: Apache-2.0
// BankNodeStore's documents as wholes: all of them out in one snapshot, one of them in.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/span_math.h"
#include "formats/half_float.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/batch_writer.h"

namespace mc::storage {
namespace {

// Takes one document's pieces into a transaction, trusting none of them.
class Adoption {
  public:
    Adoption(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
             const DocumentRecord& record)
        : txn_(txn), meta_(meta), coder_(coder), record_(record) {}

    Result<void> take_all(DocumentSource& pieces) {
        while (true) {
            MC_ASSIGN(const auto piece, pieces.next());
            if (!piece) break;
            MC_TRY(std::visit([this](const auto& one) { return take(one); }, *piece));
        }
        if (original_bytes_ != original_bytes_said_) return wrong("its original is cut off");
        if (chunk_size(record_.token_count, chunks_) != 0) return wrong("tokens are missing");
        for (std::uint8_t level = 1; level <= kLevelMax.value; ++level)
            if (gists_[level] != node_count(record_.gist_end, Level(level)))
                return wrong("gists are missing at level " + std::to_string(level));
        return {};
    }

  private:
    tl::unexpected<Error> wrong(const std::string& what) const {
        return fail(ErrorCode::kCorruption, "document \"" + record_.source_name + "\": " + what);
    }

    Result<void> take(const OriginalRecord& original) {
        if (original_bytes_said_ > 0 || chunks_ > 0) return wrong("an original out of order");
        original_bytes_said_ = original.byte_count;
        return put_record(txn_, Database::kDocuments, original_key(record_.bank, record_.id),
                          encode_original, original);
    }

    Result<void> take(const OriginalPiece& piece) {
        const std::uint64_t index = original_bytes_ / kOriginalPieceBytes;
        if (original_bytes_ % kOriginalPieceBytes != 0 ||
            piece.bytes.size() > original_bytes_said_ - original_bytes_)
            return wrong("an original out of order");
        original_bytes_ += piece.bytes.size();
        return put_record(txn_, Database::kDocuments, piece_key(record_.bank, record_.id, index),
                          encode_piece, std::string_view(piece.bytes));
    }

    Result<void> take(const TokenChunk& chunk) {
        if (chunk.tokens.size() != chunk_size(record_.token_count, chunks_))
            return wrong("not as many tokens as its record says");
        if (chunk.first_byte < last_byte_ || chunk.first_byte > record_.byte_count ||
            (chunks_ == 0 && chunk.first_byte != 0))
            return wrong("a byte offset out of order");
        last_byte_ = chunk.first_byte;
        return put_record(txn_, Database::kTokens, token_key(record_.id, chunks_++), encode_tokens,
                          chunk);
    }

    Result<void> take(const PlacedGroup& placed) {
        if (placed.level < Level(1) || placed.level > kLevelMax) return wrong("gists of no level");
        std::uint64_t& held = gists_[placed.level.value];
        if (placed.parent.value != held >> kBlockBits ||
            placed.group.count !=
                group_size(node_count(record_.gist_end, placed.level), placed.parent))
            return wrong("gists out of order");
        MC_TRY(check_numbers(placed.group));
        held += placed.group.count;
        return put_record(txn_, Database::kGists,
                          group_key(record_.id, placed.level, placed.parent), encode_group,
                          placed.group);
    }

    // One infinity would spoil every answer that is read beside it.
    Result<void> check_numbers(const StoredGroup& group) {
        std::vector<std::uint16_t> kv(meta_.identity.encoder.shape.kv_count());
        const auto finite = [](std::uint16_t half) { return std::isfinite(half_to_float(half)); };
        bool sound = std::ranges::all_of(group.index_vectors, finite);
        for (std::size_t i = 0; i < group.count && sound; ++i) {
            coder_.decode(std::span(group.kv).subspan(i * coder_.gist_bytes(), coder_.gist_bytes()),
                          kv);
            sound = std::ranges::all_of(kv, finite);
        }
        if (!sound) return wrong("gists that are not finite");
        return {};
    }

    WriteTransaction& txn_;
    const StoreMeta& meta_;
    const GistCoder& coder_;
    const DocumentRecord& record_;
    std::uint64_t original_bytes_said_ = 0;
    std::uint64_t original_bytes_ = 0;
    std::uint64_t chunks_ = 0;
    std::uint64_t last_byte_ = 0;
    std::array<std::uint64_t, kLevelMax.value + 1U> gists_{};  // by level
};

bool same_tombstone(const Tombstone& a, const Tombstone& b) {
    return a.forgotten_us == b.forgotten_us && a.token_count == b.token_count &&
           a.reason == b.reason;
}

}  // namespace

Result<DocumentRecord> BankNodeStore::adopt(const DocumentRecord& record, DocumentSource& pieces,
                                            const std::optional<Succession>& succession,
                                            const std::optional<LogPosition>& log) {
    MC_TRY(parts_.require_writable());
    MC_TRY(check_draft(record));
    MC_ASSIGN(const GistCoder* coder, parts_.require_coder());
    StoredDocument made;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_TRY(pieces.rewind());
        if (succession) MC_TRY(supersede(txn, *succession, record.source_name));
        if (!is_superseded(record)) MC_TRY(check_name_is_free(txn, record.source_name));
        MC_ASSIGN(Counters counters,
                  require_record(txn, Database::kMeta, kCountersKey, decode_counters));
        made = {record, gist_counts_of(record.gist_end)};
        made.record.id = DocumentId(counters.next_document++);
        made.record.bank = bank_.id;
        MC_TRY(number_version(txn, made.record));
        MC_TRY(put_record(txn, Database::kMeta, kCountersKey, encode_counters, counters));
        MC_TRY(Adoption(txn, parts_.meta, *coder, made.record).take_all(pieces));
        MC_TRY(add_source(txn, made.record));
        MC_TRY(put_record(txn, Database::kDocuments, key_of(made.record), encode_document, made));
        if (record.token_count > 0)
            MC_TRY(append_journal(
                txn, {made.record.id, {0, record.token_count}, made.record.created_us}));
        if (log) MC_TRY(put_log_position(txn, *log));
        return {};
    }));
    return made.record;
}

Result<std::uint64_t> BankNodeStore::adopt_tombstones(std::span<const Tombstone> tombstones) {
    MC_TRY(parts_.require_writable());
    MC_ASSIGN(const auto held, this->tombstones());
    std::uint64_t added = 0;
    MC_TRY(parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        added = 0;
        MC_ASSIGN(Counters counters,
                  require_record(txn, Database::kMeta, kCountersKey, decode_counters));
        for (const Tombstone& tombstone : tombstones) {
            const auto is_same = [&](const Tombstone& other) {
                return same_tombstone(tombstone, other);
            };
            if (std::ranges::any_of(held, is_same)) continue;
            const DocumentId id(counters.next_document++);
            MC_TRY(put_record(txn, Database::kDocuments, tombstone_key(bank_.id, id),
                              encode_tombstone, tombstone));
            ++added;
        }
        return put_record(txn, Database::kMeta, kCountersKey, encode_counters, counters);
    }));
    return added;
}

Result<void> BankNodeStore::visit_document(const ReadTransaction& txn,
                                           const StoredDocument& document, bool with_gists,
                                           BankVisitor& visitor) const {
    MC_TRY(visitor.on_document(document));
    const DocumentRecord& record = document.record;
    MC_ASSIGN(const auto original, find_record(txn, Database::kDocuments,
                                               original_key(bank_.id, record.id), decode_original));
    if (original) {
        MC_TRY(visitor.on_original(*original));
        for (std::uint64_t i = 0; i * kOriginalPieceBytes < original->byte_count; ++i) {
            MC_ASSIGN(const std::string bytes,
                      require_record(txn, Database::kDocuments, piece_key(bank_.id, record.id, i),
                                     decode_piece));
            MC_TRY(visitor.on_original_piece(i, bytes));
        }
    }
    for (std::uint64_t i = 0; chunk_size(record.token_count, i) > 0; ++i) {
        MC_ASSIGN(const TokenChunk chunk, require_chunk(txn, record, i));
        MC_TRY(visitor.on_chunk(i, chunk));
    }
    for (std::size_t row = 0; with_gists && row < document.gist_counts.size(); ++row) {
        const Level level(static_cast<std::uint8_t>(row + 1));
        for (std::uint64_t i = 0; group_size(document.gist_counts[row], NodeIndex(i)) > 0; ++i) {
            MC_ASSIGN(StoredGroup group,
                      require_group(txn, parts_.meta, document, level, NodeIndex(i)));
            MC_TRY(visitor.on_group({level, NodeIndex(i), std::move(group)}));
        }
    }
    return {};
}

Result<void> BankNodeStore::visit_documents(const ReadTransaction& txn, const std::string& first,
                                            std::optional<DocumentKey> (*parse)(std::string_view),
                                            bool with_gists, BankVisitor& visitor) const {
    return txn.scan(
        Database::kDocuments, first, [&](std::string_view key, ByteView value) -> Result<bool> {
            const auto parsed = parse(key);
            if (!parsed || parsed->bank != bank_.id) return false;
            // What is to be forgotten leaves the store no more.
            MC_ASSIGN(const auto announced,
                      find_record(txn, Database::kDocuments,
                                  announcement_key(bank_.id, parsed->document), decode_tombstone));
            if (announced && announced->parts.empty()) return true;
            if (announced)
                return fail(ErrorCode::kInvalidInput,
                            "a part of document " + std::to_string(parsed->document.value) +
                                " is being forgotten; export again when that is done, or let "
                                "`megacontext ingest` of any file complete it");
            const auto document = decode_document({Database::kDocuments, key}, value);
            if (!document)
                return fail(
                    corrupt_record(parts_.directory, Database::kDocuments, key, document.error()));
            MC_TRY(visit_document(txn, *document, with_gists, visitor));
            return true;
        });
}

Result<void> BankNodeStore::visit(BankVisitor& visitor, bool with_gists) const {
    return parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        const DocumentId none(0);
        MC_TRY(visit_documents(txn, document_key(bank_.id, none), parse_document_key, with_gists,
                               visitor));
        MC_TRY(visit_documents(txn, version_key(bank_.id, none), parse_version_key, with_gists,
                               visitor));
        return txn.scan(Database::kDocuments, tombstone_key(bank_.id, DocumentId(0)),
                        [&](std::string_view key, ByteView value) -> Result<bool> {
                            const auto parsed = parse_tombstone_key(key);
                            if (!parsed || parsed->bank != bank_.id) return false;
                            const auto one = decode_tombstone({Database::kDocuments, key}, value);
                            if (!one)
                                return fail(corrupt_record(parts_.directory, Database::kDocuments,
                                                           key, one.error()));
                            MC_TRY(visitor.on_tombstone(*one));
                            return true;
                        });
    });
}

}  // namespace mc::storage
