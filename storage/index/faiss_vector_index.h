// SPDX-License-Identifier: Apache-2.0
// VectorIndex on FAISS: every vector of a bank as binary16 in memory, scanned by inner product.
//
// faiss_vector_index.cpp is the one file that includes faiss. FAISS aborts on a broken assertion,
// so widths, counts and finiteness are checked before it is called. On disk: one file with a
// checked header (docs/storage-format.md), replaced whole.
// Threads: searches share, changes exclude. Errors: kStaleIndex from open for any damage;
// kInvalidInput for numbers that are not finite.
#pragma once

#include <memory>

#include "core/files.h"
#include "core/hash.h"
#include "tree/indexes.h"

namespace mc::storage {

struct VectorIndexOptions {
    Path path;
    bool writable = false;  // else changes stay in memory
    std::uint32_t index_dim = 0;
    Hash128 encoder_hash;
};

// An absent file is an empty index.
Result<std::unique_ptr<VectorIndex>> open_faiss_index(const VectorIndexOptions& options);

}  // namespace mc::storage
