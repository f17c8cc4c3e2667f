// SPDX-License-Identifier: Apache-2.0
// What a store is asked to be and what it says of itself. Value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "storage/codec/gist_codebook.h"
#include "storage/codec/gist_codec.h"
#include "storage/seal/store_key.h"
#include "tree/gist_encoder.h"

namespace mc::storage {

// Of the whole directory. A store with a greater number is refused; fields are only ever added.
// 2: documents may hold blank tokens. 3: banks may hold macros. 4: documents may have text without
// gists. 5: documents may be superseded and kept. A store of an older version is of this one once
// it was opened for writing.
inline constexpr std::uint32_t kStoreFormatVersion = 5;
// Of an encrypted store, whatever else it holds: programs before it cannot read one.
inline constexpr std::uint32_t kSealedFormatVersion = 6;

enum class StoreMode {
    kRead,           // an existing store; nothing is written
    kWrite,          // an existing store
    kWriteOrCreate,  // made when the directory is missing or empty
};

// Which models made the content of a store.
struct StoreIdentity {
    std::string base_model_name;
    Hash128 base_model_hash;
    Hash128 tokenizer_hash;
    EncoderInfo encoder;
};

struct StoreOptions {
    Path directory;
    StoreMode mode = StoreMode::kRead;
    // Compared with the store's and refused when it differs; nullopt opens any store, to inspect
    // or verify it without a model. Requires: present when a store may have to be made.
    std::optional<StoreIdentity> identity;
    GistCodec codec_at_creation = GistCodec::kFp16;
    // For pq; borrowed for the call, null where none is known. A store of that codec opens without
    // it, for everything but reading and writing gists. A store of another codec takes no notice.
    const GistCodebook* codebook = nullptr;
    // Opens an encrypted store, and encrypts one that is made; null: none. Borrowed for the call. A
    // key for a store that is not encrypted is refused, as is an encrypted one without (kKey).
    const StoreKey* key = nullptr;
    // First size of the memory map, which doubles whenever it is full; no disk space is taken.
    std::uint64_t map_bytes_initial = 256ULL << 20;
    // Times of creation; borrowed. Requires: not null, outlives the store.
    const Clock* clock = nullptr;
};

// What a store says of itself.
struct StoreMeta {
    std::uint32_t format_version = kStoreFormatVersion;
    std::uint32_t block_size = 0;
    StoreIdentity identity;
    GistCodec codec = GistCodec::kFp16;
    std::uint64_t gist_bytes = 0;          // of one encoded gist
    std::optional<Hash128> codebook_hash;  // of pq: which file its gists are coded with
    std::int64_t created_us = 0;
};

struct DatabaseStatistics {
    std::string name;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;  // pages in use
};

// One record that breaks its checksum or a rule.
struct RecordFault {
    std::string database;
    std::string key;  // readable: "document 7, level 1, parent 3"
    Error error;      // kCorruption
};

struct VerifySummary {
    std::uint64_t records = 0;
    std::uint64_t faults = 0;
};

}  // namespace mc::storage
