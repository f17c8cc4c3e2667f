// SPDX-License-Identifier: Apache-2.0
// The codebook of the codec "pq": what makes a byte of each few numbers of one embedder's vectors.
//
// A safetensors file: tensor centroids (bytes, 256, numbers a byte) F16; metadata format,
// embedder_name, embedder_hash, and how it was trained (tools/make_vector_codebook.py). One is part
// of the program: models/all-minilm-l6-v2/. Threads: free. Errors: kInvalidInput for a file that is
// no such file, naming file and field; never a crash, whatever the bytes (tests/fuzz).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "formats/safetensors.h"
#include "storage/index/vector_codec.h"
#include "tree/text_embedder.h"

namespace mc::storage {

// Widest vectors that a codebook may be made for.
inline constexpr std::uint64_t kCodebookDimMax = 8192;

// A code is one byte, so each share of a vector has this many centroids.
inline constexpr std::size_t kCentroidCount = 256;

struct VectorCodebook {
    Hash128 hash;  // of the file
    std::string embedder_name;
    Hash128 embedder_hash;
    std::uint32_t dim = 0;
    std::uint32_t code_bytes = 0;  // divides dim
    std::vector<float> centroids;  // (code_bytes, 256, dim / code_bytes)
};

Result<VectorCodebook> parse_vector_codebook(const lm::SafetensorsFile& file);

// Codes by the nearest centroids; named "pq" and the codebook's hash.
std::unique_ptr<VectorCodec> make_product_codec(const VectorCodebook& codebook);

// The program's own codebook where it was trained on this embedder's vectors, else halves.
Result<std::unique_ptr<VectorCodec>> codec_for(const TextEmbedderInfo& embedder);

}  // namespace mc::storage
