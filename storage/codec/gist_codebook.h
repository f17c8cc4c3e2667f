// SPDX-License-Identifier: Apache-2.0
// What the codec pq needs to know of a compressor's gists: centre, scales, bases and centroids.
//
// A gist x of N numbers is coded in two stages (product quantization: Jégou, Douze, Schmid 2011).
// y = (x - centre) · scale. R coefficients of y along the shared basis, which is common to all
// layers, are coded in shared_bytes bytes; what they leave of y is turned, head by head, by a
// rotation and coded in that head's bytes. Each byte names one of 256 centroids of its share of
// the dimensions. Scales weigh the error: a number that matters more has a larger one.
// It is plain numbers: whoever reads or writes files fills it (storage/codec/codebook_file.h), the
// coder and the trainer work on it. Value type. Errors: kInvalidInput naming what does not fit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "tree/gist.h"

namespace mc::storage {

inline constexpr std::uint32_t kCentroids = 256;
inline constexpr std::uint32_t kSharedDimsMax = 4096;

struct GistCodebook {
    GistShape shape;                 // its index_dim means nothing here
    Hash128 hash;                    // of the file: what a store names
    Hash128 base_model_hash;         // whose gists these are
    Hash128 encoder_hash;            // which encoder made the gists that it was trained on
    std::string encoder_name;        // for messages
    std::uint32_t shared_dims = 0;   // R, a multiple of shared_bytes; both may be 0
    std::uint32_t shared_bytes = 0;  // of every gist

    std::vector<float> centre;             // (N)
    std::vector<float> scale;              // (N), positive
    std::vector<float> shared_basis;       // (R, N), orthonormal rows
    std::vector<float> shared_centroids;   // (shared_bytes, 256, R / shared_bytes)
    std::vector<std::uint8_t> head_bytes;  // (L × 2 × H) of each head's vector; they divide D
    std::vector<float> rotations;          // (L × 2 × H, D, D), orthonormal rows
    std::vector<float> head_centroids;  // (L × 2 × H, 256 × D): per head (bytes, 256, D / bytes)

    std::uint64_t head_count() const {
        return std::uint64_t{shape.layer_count} * 2 * shape.kv_head_count;
    }

    // Bytes of one encoded gist.
    std::uint64_t gist_bytes() const;
};

// Whether sizes fit each other and all numbers are finite.
Result<void> check_codebook(const GistCodebook& codebook);

}  // namespace mc::storage
