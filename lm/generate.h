// SPDX-License-Identifier: Apache-2.0
// Writes on from where a sequence stands, token by token.
//
// Same sequence, options and seed: same text. Ends at any control token (end of turn, end of text),
// which is neither appended nor part of the text. Errors: those of Sequence.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/rng.h"
#include "lm/base_model.h"

namespace mc::lm {

struct GenerateOptions {
    std::uint32_t tokens_max = 256;
    float temperature = 0.0F;  // 0: always the likeliest token
    float top_p = 1.0F;        // sample among the likeliest tokens that hold this much probability
    // Divides the positive and multiplies the negative logits of tokens already written (Keskar et
    // al. 2019, CTRL, section 4.1); 1 leaves them alone.
    float repetition_penalty = 1.0F;
    std::uint64_t seed = 0;
};

enum class StopReason {
    kEndOfText,    // the model ended its turn
    kTokensMax,    // options.tokens_max were written
    kContextFull,  // no room in the model's context
    kStopped,      // the callback said stop
};

struct Generated {
    std::vector<TokenId> tokens;  // each appended to the sequence
    std::string text;             // their bytes
    StopReason reason = StopReason::kTokensMax;
};

// Receives text as it is written, whole UTF-8 characters only; what is left of a broken one comes
// last, as it is. Returns false to stop.
using TextCallback = std::function<bool(std::string_view)>;

// Requires: the sequence's last entry is a token or a vector; 0 ≤ temperature; 0 < top_p ≤ 1;
// repetition_penalty ≥ 1.
Result<Generated> generate(const BaseModel& model, Sequence& sequence,
                           const GenerateOptions& options, const TextCallback& on_text = {});

// Applies the penalty for each token written, once however often it was. In place.
void penalise_repetition(std::span<float> logits, std::span<const TokenId> written, float penalty);

// The next token: the likeliest at temperature 0, else drawn. Pure apart from the rng's state.
TokenId choose_token(std::span<const float> logits, const GenerateOptions& options, Rng& rng);

}  // namespace mc::lm
