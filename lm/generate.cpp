// SPDX-License-Identifier: Apache-2.0
#include "lm/generate.h"

#include <algorithm>

#include "lm/generation/text_stream.h"

namespace mc::lm {

std::string_view name_of(StopReason reason) {
    switch (reason) {
        case StopReason::kEndOfText:
            return "end_of_text";
        case StopReason::kStopString:
            return "stop_string";
        case StopReason::kTokensMax:
            return "tokens_max";
        case StopReason::kContextFull:
            return "context_full";
        case StopReason::kStopped:
            return "stopped";
    }
    return "";
}

Result<Generated> generate(const BaseModel& model, Sequence& sequence,
                           const GenerateOptions& options, const TextCallback& on_text) {
    MC_TRY(check_sampling(options.sampling));
    const Tokenizer& tokenizer = model.tokenizer();
    Rng rng(options.seed);
    Generated out;
    TextStream stream(options.stop_strings);
    const auto hand_on = [&](const std::string& text) {
        out.text += text;
        return !on_text || text.empty() || on_text(text);
    };
    std::vector<float> logits(model.config().vocabulary_size);
    while (out.tokens.size() < options.tokens_max) {
        if (options.interrupted != nullptr && *options.interrupted) {
            out.reason = StopReason::kStopped;
            break;
        }
        MC_TRY(sequence.next_logits_into(logits));
        penalise_repetition(logits, out.tokens, options.sampling.repetition_penalty);
        const TokenId token = choose_token(logits, options.sampling, rng);
        if (tokenizer.is_control(token)) {
            out.reason = StopReason::kEndOfText;
            break;
        }
        if (sequence.length() >= model.config().context_length) {
            out.reason = StopReason::kContextFull;
            break;
        }
        const std::string ready = stream.push(tokenizer.bytes_of(token));
        if (!stream.stopped()) {
            MC_TRY(sequence.append_token(token));
            out.tokens.push_back(token);
        }
        const bool wants_more = hand_on(ready);
        if (stream.stopped() || !wants_more) {
            out.reason = stream.stopped() ? StopReason::kStopString : StopReason::kStopped;
            break;
        }
    }
    const std::string rest = stream.finish();
    if (out.reason == StopReason::kStopped)
        out.text += rest;  // nobody listens any more
    else
        hand_on(rest);
    return out;
}

}  // namespace mc::lm
