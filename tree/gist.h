// SPDX-License-Identifier: Apache-2.0
// The gist: what one block leaves behind for the base model to read and for search to find.
//
// For every layer and KV head of the base model one key (before RoPE), one value, as IEEE binary16,
// and one log-mass, plus one index vector. Reading a gist = rotating its keys to an entry's
// position and placing keys, values and log-mass in the KV cache; no prefill
// (docs/architecture.md). Value types.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"

namespace mc {

// Widths of a gist, fixed by the base model and the encoder.
struct GistShape {
    std::uint32_t layer_count = 0;    // L
    std::uint32_t kv_head_count = 0;  // H
    std::uint32_t head_dim = 0;       // D
    std::uint32_t index_dim = 0;      // I

    // Halves in Gist::kv: L × 2 × H × D.
    std::uint64_t kv_count() const {
        return std::uint64_t{layer_count} * 2 * kv_head_count * head_dim;
    }

    // Steps in Gist::log_mass, where it is not empty: L × H.
    std::uint64_t log_mass_count() const { return std::uint64_t{layer_count} * kv_head_count; }

    bool operator==(const GistShape&) const = default;
};

// What the base model said of a node's own tokens while reading them; NaN where it was not asked.
struct NodeStatistics {
    float mean_nll = std::numeric_limits<float>::quiet_NaN();      // nats per token
    float mean_entropy = std::numeric_limits<float>::quiet_NaN();  // nats per token
};

// A gist's log-mass is added to the attention's logits: a key that stands for many tokens claims
// what they would claim together, one that has nothing to say claims nothing. In steps of this many
// nats, which bf16 holds exactly too; the least step means that the head does not see the gist.
inline constexpr float kLogMassStep = 1.0F / 16;
inline constexpr std::int8_t kLogMassAbsent = std::numeric_limits<std::int8_t>::min();

// In nats; minus infinity for kLogMassAbsent.
inline float log_mass_of(std::int8_t steps) {
    return steps == kLogMassAbsent ? -std::numeric_limits<float>::infinity()
                                   : static_cast<float>(steps) * kLogMassStep;
}

struct Gist {
    std::vector<std::uint16_t> kv;      // (L, 2, H, D) binary16 bits: key then value of each layer
    std::vector<std::int8_t> log_mass;  // (L, H) steps; empty: 0 everywhere
    std::vector<float> index_vector;    // (I), unit length
    NodeStatistics statistics;
};

// A gist and the node that it stands for.
struct NewGist {
    NodeId node;
    Gist gist;
};

// Up to 32 sibling gists of one parent, first slots first: the unit of storage.
struct GistGroup {
    DocumentId document;
    Level level;       // of the gists; their parent is one above
    NodeIndex parent;  // index of the parent in its level; it may not be complete yet
    std::vector<Gist> gists;
};

}  // namespace mc
