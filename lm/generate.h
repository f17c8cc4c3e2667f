// SPDX-License-Identifier: Apache-2.0
// Writes on from where a sequence stands, token by token.
//
// Same sequence, options and seed: same text. Ends at any control token (end of turn, end of text),
// which is neither appended nor part of the text, or before a stop string. Errors: those of
// Sequence; kUsage for sampling options out of range.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "lm/base_model.h"
#include "lm/generation/sampler.h"

namespace mc::lm {

struct GenerateOptions {
    std::uint32_t tokens_max = 256;
    SamplingOptions sampling;
    std::uint64_t seed = 0;
    std::vector<std::string> stop_strings;           // none of them empty
    const std::atomic<bool>* interrupted = nullptr;  // looked at before every token
};

enum class StopReason {
    kEndOfText,    // the model ended its turn
    kStopString,   // one of options.stop_strings
    kTokensMax,    // options.tokens_max were written
    kContextFull,  // no room in the model's context
    kStopped,      // the callback said stop, or options.interrupted is set
};

// "end_of_text", "stop_string", "tokens_max", "context_full", "stopped".
std::string_view name_of(StopReason reason);

struct Generated {
    // Each appended to the sequence. The token that completes a stop string is not among them;
    // those before it that began the stop string are.
    std::vector<TokenId> tokens;
    std::string text;  // the tokens' bytes, as far as they stand before a stop string
    StopReason reason = StopReason::kTokensMax;
};

// Receives text as it is written, whole UTF-8 characters only (what is left of a broken one comes
// last, as it is) and nothing that a stop string may still take back. Returns false to stop.
using TextCallback = std::function<bool(std::string_view)>;

// Requires: the sequence's last entry is a token or a vector.
Result<Generated> generate(const BaseModel& model, Sequence& sequence,
                           const GenerateOptions& options, const TextCallback& on_text = {});

}  // namespace mc::lm
