// SPDX-License-Identifier: Apache-2.0
// Do gists use the room that they have? Their geometry, and what the trained pooling looks at.
//
// Effective rank: exp of the entropy of the singular values divided by their sum (Roy, Vetterli
// 2007), of the matrix with one row per gist: all heads' keys, or values, of one layer. Copies of
// one vector have 1, n orthonormal ones n. Nothing is centred.
// Ownership: borrows everything for the call. Threads: one at a time, with the base model.
// Errors: those of make_gist_encoder for the setting; kCancelled; kModel.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"
#include "tree/gist_encoder.h"

namespace mc::gistnet {

struct VectorGeometry {
    double effective_rank = 0;
    double mean_cosine = 0;  // of all pairs
};

struct LayerGeometry {
    VectorGeometry keys;  // before rotation
    VectorGeometry values;
};

// One entry per layer. Requires: at least two gists of this shape.
// Cost: a singular value decomposition of (gists, H × D) in double, twice a layer.
Result<std::vector<LayerGeometry>> measure_geometry(std::span<const Gist> gists,
                                                    const GistShape& shape);

// One layer's pooling queries, 0 … J − 1: means over blocks and heads.
struct LayerPooling {
    std::vector<double> entropy;  // of the attention weights, nats, at most ln 32
    std::vector<double> key_share;  // ‖c_j‖ / Σ_i ‖c_i‖, c_j what query j's map adds to the key
    std::vector<double> value_share;  // to the value
};

// Level 1 of the weights that a setting of make_gist_encoder names, over every block of the
// windows' new tokens; empty for an untrained encoder. One entry per layer.
// Requires: windows of one shape, at least one.
Result<std::optional<std::vector<LayerPooling>>> measure_pooling(
    const lm::BaseModel& model, const std::string& pooling, std::span<const ReadWindow> windows,
    const std::atomic<bool>* cancelled);

}  // namespace mc::gistnet
