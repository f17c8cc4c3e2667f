// SPDX-License-Identifier: Apache-2.0
// What an index of passages takes on disk, by what its pages are for.
//
// Cost: looks at every page of the file. Threads: free. Errors: those of SqliteConnection.
#pragma once

#include <cstdint>
#include <optional>

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_seal.h"

namespace mc::storage {

struct IndexSize {
    std::uint64_t vector_bytes = 0;  // passages and the codes of their vectors
    std::uint64_t word_bytes = 0;    // the inverted lists and what they are weighed by
    std::uint64_t other_bytes = 0;   // free pages, the schema, the watermark
};

// An absent file is 0 everywhere. Without the log that a writer may hold beside it. keys: of an
// encrypted file.
Result<IndexSize> measure_index(const Path& path, const std::optional<IndexKeys>& keys);

}  // namespace mc::storage
