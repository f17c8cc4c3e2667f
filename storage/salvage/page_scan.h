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
#include <string_view>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/record_codec.h"

namespace mc::storage {

struct FoundRecord {
    Database database;
    std::string_view key;      // lives for the call
    RecordBytes value;         // likewise
    std::uint64_t offset = 0;  // of the value in the file
    bool is_reached = false;   // by the trees; else it may be older than what is lost
};

struct ScanSummary {
    std::uint64_t pages = 0;
    std::uint64_t records = 0;          // sound ones
    std::uint64_t damaged_records = 0;  // entries of leaf pages whose value is not what was stored
    bool trees_are_whole = false;
};

// Values on pages of their own are read too.
Result<ScanSummary> scan_records(const Path& file,
                                 const std::function<void(const FoundRecord&)>& on_record);

}  // namespace mc::storage
