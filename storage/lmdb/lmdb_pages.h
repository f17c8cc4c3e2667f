// SPDX-License-Identifier: Apache-2.0
// Checks the pages of an LMDB data file before LMDB follows them.
//
// LMDB trusts its file: a damaged page sends it outside the map, where the process dies. So meta
// pages are checked before the environment opens, and every branch and leaf page and the free list
// of a snapshot before any record is read. What the pages hold is guarded by record checksums.
// Reads with pread, never through a map. Knows the file format of LMDB 0.9 (data version 1).
// Threads: pure. Errors: kCorruption naming file and page; kFormatVersion for another LMDB format;
// kIo.
#pragma once

#include <cstdint>
#include <optional>

#include "core/files.h"
#include "core/result.h"

namespace mc::storage {

// One meta page's claims.
struct LmdbTree {
    std::uint64_t root = 0;
    std::uint64_t entries = 0;
    std::uint64_t branch_pages = 0;
    std::uint64_t leaf_pages = 0;
    std::uint64_t overflow_pages = 0;
    std::uint16_t depth = 0;
    std::uint16_t flags = 0;
};

struct LmdbSnapshot {
    std::uint32_t page_bytes = 0;
    std::uint64_t last_page = 0;
    std::uint64_t transaction = 0;
    LmdbTree free_list;
    LmdbTree main;

    std::uint64_t bytes() const { return (last_page + 1) * page_bytes; }
};

// The newest snapshot of a file whose meta pages are sound and which is long enough for it;
// nullopt for an empty file.
Result<std::optional<LmdbSnapshot>> read_newest_snapshot(const Path& file);

// The snapshot of a transaction that is still pinned by a reader; nullopt when its meta page was
// overwritten meanwhile.
Result<std::optional<LmdbSnapshot>> read_snapshot_of(const Path& file, std::uint64_t transaction);

// Walks every tree of the snapshot. with_value_pages also reads the first page of every large
// value. Cost: one read per branch and leaf page.
Result<void> check_snapshot(const Path& file, const LmdbSnapshot& snapshot, bool with_value_pages);

}  // namespace mc::storage
