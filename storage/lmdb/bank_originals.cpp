// SPDX-License-Identifier: Apache-2.0
// BankNodeStore's originals: a record of what a document was converted from, and its bytes in
// pieces.
#include <algorithm>

#include "core/check.h"
#include "storage/lmdb/bank_node_store.h"

namespace mc::storage {
namespace {

std::string piece_prefix(BankId bank, DocumentId document) {
    return piece_key(bank, document, 0).substr(0, original_key(bank, document).size());
}

}  // namespace

Result<void> BankNodeStore::put_original(DocumentId document, const Original& original) {
    MC_TRY(parts_.require_writable());
    MC_CHECK(are_places(original.places), "places out of order");
    const std::string_view bytes = original.bytes;
    const OriginalRecord record{original.kind, bytes.size(),
                                xxh3_128(std::as_bytes(std::span(bytes))), original.places};
    return parts_.env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_TRY(require_standing(txn, document));
        MC_TRY(erase_original(txn, document));
        MC_TRY(put_record(txn, Database::kDocuments, original_key(bank_.id, document),
                          encode_original, record));
        for (std::uint64_t piece = 0; piece * kOriginalPieceBytes < bytes.size(); ++piece)
            MC_TRY(put_record(txn, Database::kDocuments, piece_key(bank_.id, document, piece),
                              encode_piece,
                              bytes.substr(piece * kOriginalPieceBytes, kOriginalPieceBytes)));
        return {};
    });
}

Result<std::optional<OriginalRecord>> BankNodeStore::find_original(DocumentId document) const {
    std::optional<OriginalRecord> result;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_TRY(require_document(txn, document));
        MC_ASSIGN(result, find_record(txn, Database::kDocuments, original_key(bank_.id, document),
                                      decode_original));
        return {};
    }));
    return result;
}

Result<std::string> BankNodeStore::read_original(DocumentId document, ByteSpan span) const {
    std::string bytes;
    MC_TRY(parts_.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_TRY(require_document(txn, document));
        const std::string key = original_key(bank_.id, document);
        MC_ASSIGN(const auto record, find_record(txn, Database::kDocuments, key, decode_original));
        if (!record || span.begin > span.end || span.end > record->byte_count)
            return fail(ErrorCode::kInvalidInput,
                        "the original of document " + std::to_string(document.value) +
                            " ends before byte " + std::to_string(span.end));
        while (span.begin < span.end) {
            const std::uint64_t piece = span.begin / kOriginalPieceBytes;
            const std::uint64_t begin = span.begin % kOriginalPieceBytes;
            const std::string at = piece_key(bank_.id, document, piece);
            MC_ASSIGN(const std::string found,
                      require_record(txn, Database::kDocuments, at, decode_piece));
            const std::uint64_t count = std::min(kOriginalPieceBytes - begin, span.count());
            if (found.size() < begin + count)
                return fail(corrupt_record(parts_.directory, Database::kDocuments, at,
                                           "shorter than the original's record says"));
            bytes.append(found, begin, count);
            span.begin += count;
        }
        return {};
    }));
    return bytes;
}

Result<void> BankNodeStore::erase_original(WriteTransaction& txn, DocumentId document) {
    MC_TRY(erase_prefix(txn, Database::kDocuments, original_key(bank_.id, document)));
    return erase_prefix(txn, Database::kDocuments, piece_prefix(bank_.id, document));
}

Result<void> BankNodeStore::erase_original_bytes(WriteTransaction& txn, DocumentId document,
                                                 std::span<const Place> places) {
    const std::string key = original_key(bank_.id, document);
    MC_ASSIGN(auto record, find_record(txn, Database::kDocuments, key, decode_original));
    if (!record) return {};
    MC_TRY(erase_original(txn, document));
    record->byte_count = 0;
    record->hash = xxh3_128({});
    record->places.assign(places.begin(), places.end());
    return put_record(txn, Database::kDocuments, key, encode_original, *record);
}

}  // namespace mc::storage
