// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/prompt_cost.h"

namespace mc::eval {

double prompt_flops(const lm::ModelConfig& config, const PromptEntries& prompt) {
    const double width = config.hidden_dim;
    const double queries = static_cast<double>(config.head_count) * config.head_dim;
    const double pairs = 2.0 * config.kv_head_count * config.head_dim;
    const double weights = width * (queries + pairs) + queries * width + 3 * width * config.ffn_dim;
    const auto tokens = static_cast<double>(prompt.tokens_before + prompt.tokens_after);
    // A run of n tokens behind b entries looks at b + 1, …, b + n of them.
    const auto looked_at = [](std::uint64_t before, std::uint64_t count) {
        const auto n = static_cast<double>(count);
        return n * static_cast<double>(before) + n * (n + 1) / 2;
    };
    const std::uint64_t before = prompt.cached + prompt.tokens_before + prompt.gists;
    const double entries =
        looked_at(prompt.cached, prompt.tokens_before) + looked_at(before, prompt.tokens_after);
    return config.layer_count * (2 * weights * tokens + 4 * queries * entries) +
           2 * width * config.vocabulary_size;
}

std::uint64_t kv_bytes(const lm::ModelConfig& config, std::uint64_t entries) {
    return entries * config.gist_shape().kv_count() * sizeof(std::uint16_t);
}

}  // namespace mc::eval
