// SPDX-License-Identifier: Apache-2.0
// What reading a prompt costs, counted and not measured. Pure.
#pragma once

#include <cstdint>

#include "lm/model/model_config.h"

namespace mc::eval {

// A prompt as runs of entries: those that lie in the cache already, tokens that go through the
// model, gists that are placed, tokens again.
struct PromptEntries {
    std::uint64_t cached = 0;
    std::uint64_t tokens_before = 0;
    std::uint64_t gists = 0;
    std::uint64_t tokens_after = 0;
};

// Floating-point operations up to the logits of the first token of the answer, a multiplication and
// an addition counted as two: products with weights, and attention over the entries before. Norms,
// rotation and softmax are left out.
double prompt_flops(const lm::ModelConfig& config, const PromptEntries& prompt);

// Of keys and values of so many entries, in binary16.
std::uint64_t kv_bytes(const lm::ModelConfig& config, std::uint64_t entries);

}  // namespace mc::eval
