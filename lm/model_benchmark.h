// SPDX-License-Identifier: Apache-2.0
// How fast the base model runs here, against what this machine could do at most.
//
// Two bounds: the bf16 matrix products that libtorch reaches on these cores, and the bytes that
// they read a second. Both are measured in the same run, and the model's answer is compared with
// that of the plain ATen path before anything is timed.
// A speed is the median of repeated runs. Prefill computes the head for the last position alone;
// decode counts the head at every token.
// Threads: one at a time per model, as BaseModel. Errors: as Sequence; kModel when the answers of
// the two paths differ.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "lm/base_model.h"

namespace mc::lm {

struct ModelBenchmarkOptions {
    std::vector<std::uint32_t> prefill_tokens = {32, 128, 512, 2048, 8000};
    std::vector<std::uint32_t> decode_contexts = {0, 512, 4096};
    double seconds = 1.0;  // of measuring for each number, at least three runs
};

// What the machine does at most, with all threads of the model.
struct MachineSpeed {
    double square_flops = 0;  // matrix product of 4096 × 4096 in the model's dtype, a second
    double layer_flops = 0;   // the products of one layer, 512 rows
    double bytes_read = 0;    // sum over an array far above the caches, a second
};

struct SpeedAt {
    std::uint32_t tokens = 0;            // of the prompt, or of context before the first new token
    double tokens_per_second = 0;        // median
    double flops_per_token = 0;          // matrix products and attention
    double bytes_per_token = 0;          // weights and cache that one token has to read (decode)
    double bound_tokens_per_second = 0;  // at layer_flops, or at bytes_read
};

// Time of one part of the forward pass in all layers, measured by itself.
struct PartTime {
    std::string name;
    double seconds = 0;
    double flops = 0;
};

struct PartTimes {
    std::uint32_t tokens = 0;
    std::vector<PartTime> parts;
    double whole_seconds = 0;  // of the forward pass, for comparison with the sum
};

struct ModelBenchmark {
    MachineSpeed machine;
    std::vector<SpeedAt> prefill;
    std::vector<SpeedAt> decode;
    std::vector<PartTimes> parts;  // one for each prompt of up to 2,048 tokens
};

Result<ModelBenchmark> benchmark_model(const BaseModel& model, const ModelBenchmarkOptions& options,
                                       const Clock& clock);

}  // namespace mc::lm
