// SPDX-License-Identifier: Apache-2.0
// Records as bytes: a checksum, then one Cap'n Proto message (store.capnp).
//
// record_message.h alone includes capnp, for codecs of this room. A value is copied to an aligned
// buffer before capnp reads it, because LMDB aligns to 2 bytes. The checksum covers database and
// key, so that a record found under another key is caught. Value types. Threads: pure. Errors:
// decoding fails with the plain sentence of what is wrong; the caller, who knows the store's path,
// makes it a kCorruption (corrupt_record).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "core/span_math.h"
#include "storage/lmdb/keys.h"
#include "storage/lmdb/macro_record.h"
#include "storage/lmdb/store_types.h"
#include "tree/node_store.h"
#include "tree/records.h"

namespace mc::storage {

// The checksum and the message; a multiple of 8 bytes at an address divisible by 8.
using RecordWords = std::vector<std::uint64_t>;

// What is wrong with the bytes, as a sentence.
template <class T>
using Decoded = tl::expected<T, std::string>;

struct Counters {
    std::uint32_t next_bank = 1;
    std::uint64_t next_document = 1;
    std::uint64_t last_commit = 0;
};

struct StoredDocument {
    DocumentRecord record;
    std::vector<std::uint64_t> gist_counts;  // [level - 1]
};

// Where a document's record lies.
inline std::string key_of(const DocumentRecord& record) {
    return is_superseded(record) ? version_key(record.bank, record.id)
                                 : document_key(record.bank, record.id);
}

// Tokens below it have their gists, of every level.
inline std::uint64_t gist_end_of(std::span<const std::uint64_t> gist_counts) {
    return gist_counts.empty() ? 0 : std::min(gist_counts[0], kDocumentTokensMax) * kBlockSize;
}

// Of a document whose first gist_end tokens have their gists.
inline std::vector<std::uint64_t> gist_counts_of(std::uint64_t gist_end) {
    std::vector<std::uint64_t> counts;
    for (std::uint8_t level = 1; level <= top_level(gist_end).value; ++level)
        counts.push_back(node_count(gist_end, Level(level)));
    return counts;
}

struct TokenChunk {
    std::uint64_t first_byte = 0;
    std::vector<TokenId> tokens;  // non-negative
};

// Encoded gists of one parent. Appending works on the encoded bytes, so it never decodes.
struct StoredGroup {
    std::uint16_t count = 0;
    GistCodec codec = GistCodec::kFp16;
    Hash128 encoder_hash;
    std::vector<std::byte> kv;
    std::vector<std::int8_t> log_mass;  // (count, L, H) steps; empty: 0 everywhere
    std::vector<std::uint16_t> index_vectors;
    std::vector<float> mean_nll;
    std::vector<float> mean_entropy;
};

struct UseGroup {
    std::vector<NodeUse> uses;  // by slot, as many as were ever used
};

struct JournalRecord {
    DocumentId document;
    TokenSpan tokens;
    std::int64_t added_us = 0;
};

// Of an original's bytes, in every piece but the last.
inline constexpr std::uint64_t kOriginalPieceBytes = 256 * 1024;

// Where a value lies: part of its checksum.
struct RecordPlace {
    Database database;
    std::string_view key;
};

RecordWords encode_meta(RecordPlace place, const StoreMeta& meta);
RecordWords encode_counters(RecordPlace place, const Counters& counters);
RecordWords encode_bank(RecordPlace place, const BankRecord& bank);
RecordWords encode_document(RecordPlace place, const StoredDocument& document);
RecordWords encode_source(RecordPlace place, std::span<const DocumentId> documents);
RecordWords encode_tokens(RecordPlace place, const TokenChunk& chunk);
RecordWords encode_group(RecordPlace place, const StoredGroup& group);
RecordWords encode_uses(RecordPlace place, const UseGroup& group);
RecordWords encode_journal(RecordPlace place, const JournalRecord& entry);
RecordWords encode_tombstone(RecordPlace place, const Tombstone& tombstone);
// Requires: are_places().
RecordWords encode_original(RecordPlace place, const OriginalRecord& original);
// 1 to kOriginalPieceBytes of an original.
RecordWords encode_piece(RecordPlace place, std::string_view bytes);

// Requires: gists of one shape, at least one; all of them with log-mass or none.
RecordWords encode_macro(RecordPlace place, const MacroRecord& macro);

using RecordBytes = std::span<const std::byte>;

// The database that a value was stored in under a key, as its checksum says; nullopt: in none.
std::optional<Database> database_of(std::string_view key, RecordBytes value);

// The format version is checked by the caller; the other fields of another version may be absent.
Decoded<StoreMeta> decode_meta(RecordPlace place, RecordBytes value);
Decoded<Counters> decode_counters(RecordPlace place, RecordBytes value);
// The name is the key.
Decoded<BankRecord> decode_bank(RecordPlace place, RecordBytes value);
// The ids are the key, and whether it was superseded.
Decoded<StoredDocument> decode_document(RecordPlace place, RecordBytes value);
Decoded<std::vector<DocumentId>> decode_source(RecordPlace place, RecordBytes value);
// 1 to kTokenMarkStride tokens.
Decoded<TokenChunk> decode_tokens(RecordPlace place, RecordBytes value);
// 1 to 32 gists of the store's encoder, whose sizes fit its shape and codec.
Decoded<StoredGroup> decode_group(RecordPlace place, RecordBytes value, const StoreMeta& meta);
Decoded<UseGroup> decode_uses(RecordPlace place, RecordBytes value);
Decoded<JournalRecord> decode_journal(RecordPlace place, RecordBytes value);
// The document's id is the key, of an announcement too.
Decoded<Tombstone> decode_tombstone(RecordPlace place, RecordBytes value);
Decoded<OriginalRecord> decode_original(RecordPlace place, RecordBytes value);
Decoded<std::string> decode_piece(RecordPlace place, RecordBytes value);
// The name is in the key; gists of the store's shape.
Decoded<MacroRecord> decode_macro(RecordPlace place, RecordBytes value, const StoreMeta& meta);

}  // namespace mc::storage
