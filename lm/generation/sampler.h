// SPDX-License-Identifier: Apache-2.0
// Chooses the next token from logits.
//
// Filters apply in this order, each on what the one before it left:
//   1. repetition penalty, on the logits;
//   2. temperature 0: the likeliest token, and nothing below matters;
//   3. temperature: logits are divided by it, then softmax;
//   4. top_k: the k likeliest tokens;
//   5. top_p: the shortest run of the likeliest that holds this share of what is left;
//   6. min_p: tokens with at least this share of the likeliest one's probability.
// The likeliest token always stays; of equally likely tokens the smaller id counts as likelier.
// Pure apart from the rng's state. Errors: check_sampling() names the option out of range.
#pragma once

#include <cstdint>
#include <span>

#include "core/ids.h"
#include "core/result.h"
#include "core/rng.h"

namespace mc::lm {

struct SamplingOptions {
    float temperature = 0.0F;
    std::uint32_t top_k = 0;  // 0: all
    float top_p = 1.0F;
    float min_p = 0.0F;
    // Divides the positive and multiplies the negative logits of tokens already written (Keskar et
    // al. 2019, CTRL, section 4.1); 1 leaves them alone.
    float repetition_penalty = 1.0F;
};

// kUsage unless 0 ≤ temperature, 0 < top_p ≤ 1, 0 ≤ min_p ≤ 1 and repetition_penalty ≥ 1, all
// finite.
Result<void> check_sampling(const SamplingOptions& options);

// Applies the penalty for each token written, once however often it was. In place.
void penalise_repetition(std::span<float> logits, std::span<const TokenId> written, float penalty);

// Steps 2 to 6. Requires: logits are not empty and hold no NaN; check_sampling() passes.
TokenId choose_token(std::span<const float> logits, const SamplingOptions& options, Rng& rng);

}  // namespace mc::lm
