// SPDX-License-Identifier: Apache-2.0
// Every sound record in a damaged data.mdb, wherever it lies.
//
// LMDB is not asked: the file is read with pread, page by page, and a value counts if its checksum,
// which covers its database and key too, is right. Where the trees of the newest sound meta page
// can be followed from root to leaf, their leaves alone are read. Where they cannot, all leaf pages
// are that the free list does not name, because what it names may be what was forgotten or
// replaced. Reads alone; nobody may write the file meanwhile. Threads: pure.
// Errors: kInvalidInput for a file that cannot be opened; kIo. Damage is no error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/record_codec.h"
#include "storage/lmdb/record_seal.h"

namespace mc::storage {

struct FoundRecord {
    Database database;
    std::string_view key;      // lives for the call
    RecordBytes value;         // likewise
    std::uint64_t offset = 0;  // of the value in the file,
    std::uint64_t stored = 0;  // and its bytes there
    bool is_reached = false;   // by the trees; else it may be older than what is lost
};

struct ScanSummary {
    std::uint64_t pages = 0;
    std::uint64_t records = 0;          // sound ones
    std::uint64_t damaged_records = 0;  // entries of leaf pages whose value is not what was stored
    bool trees_are_whole = false;
};

struct Scan {
    // Of an encrypted store; null: records are read as they lie. Borrowed.
    const StoreSeal* seal = nullptr;
    std::function<void(const FoundRecord&)> on_record;
    // What may be a key header, as it lies, sound or not; may be empty.
    std::function<void(std::string_view header, bool is_reached)> on_key_header;
};

// Values on pages of their own are read too.
Result<ScanSummary> scan_records(const Path& file, const Scan& scan);

// The record that lies under a key, and in which database; nullopt for one that is not sound.
std::optional<std::pair<Database, OpenedRecord>> sound_record(const StoreSeal* seal,
                                                              std::string_view stored_key,
                                                              RecordBytes stored);

}  // namespace mc::storage
