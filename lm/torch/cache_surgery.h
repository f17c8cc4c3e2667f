// SPDX-License-Identifier: Apache-2.0
// Runs of cached entries taken out, moved to other positions and put back.
//
// RoPE turns a key by an angle in proportion to its position, so a key that moves by d positions is
// turned by d more: keys before rotation are not needed. The turn is computed in f32; a bf16 cache
// rounds at every move. Values and log-mass have no position. Threads: one. Letters: H KV heads, D
// head width.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/torch/kv_cache.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {

// Rotated keys and values (B, H, n, D) of consecutive entries, by layer, and their log-mass.
struct CacheRun {
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    at::Tensor log_mass;  // (L, B, H, n); undefined where no entry of the cache has one

    std::int64_t length() const { return keys.empty() ? 0 : keys.front().size(2); }
};

// A copy of entries [begin, end).
CacheRun copy_run(KvCache& cache, std::int64_t begin, std::int64_t end);

// The run as it is shift positions further on (or back, when negative).
// Requires: |shift| below the model's context length.
CacheRun moved_run(const TorchModel& model, CacheRun run, std::int64_t shift);

// Writes the run at [begin, begin + run.length()) and reserves the room; the cache's length is the
// caller's to set.
void write_run(KvCache& cache, const CacheRun& run, std::int64_t begin);

}  // namespace mc::lm
