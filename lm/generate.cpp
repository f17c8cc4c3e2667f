// SPDX-License-Identifier: Apache-2.0
#include "lm/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/check.h"

namespace mc::lm {
namespace {

// Bytes at the end that may be the start of a UTF-8 character whose rest is still to come.
std::size_t unfinished_suffix(std::string_view bytes) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
        if ((byte & 0xc0U) == 0x80U) continue;  // continuation: look further left
        const std::size_t size = byte >= 0xf0U ? 4 : byte >= 0xe0U ? 3 : byte >= 0xc0U ? 2 : 1;
        return size > back ? back : 0;
    }
    return 0;
}

// Hands text to the callback in whole characters.
class TextStream {
  public:
    explicit TextStream(const TextCallback& on_text) : on_text_(on_text) {}

    bool push(std::string_view bytes) {
        held_ += bytes;
        return emit(held_.size() - unfinished_suffix(held_));
    }

    void finish() { emit(held_.size()); }

  private:
    bool emit(std::size_t size) {
        const std::string ready = held_.substr(0, size);
        held_.erase(0, size);
        return !on_text_ || ready.empty() || on_text_(ready);
    }

    const TextCallback& on_text_;
    std::string held_;
};

TokenId likeliest(std::span<const float> logits) {
    return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

void penalise_repetition(std::span<float> logits, std::span<const TokenId> written, float penalty) {
    for (const TokenId token : std::set<TokenId>(written.begin(), written.end())) {
        if (static_cast<std::size_t>(token) >= logits.size()) continue;  // a byte token
        float& logit = logits[static_cast<std::size_t>(token)];
        logit = logit > 0 ? logit / penalty : logit * penalty;
    }
}

TokenId choose_token(std::span<const float> logits, const GenerateOptions& options, Rng& rng) {
    if (options.temperature <= 0.0F) return likeliest(logits);
    const double top = static_cast<double>(logits[static_cast<std::size_t>(likeliest(logits))]);
    std::vector<double> weights(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i)
        weights[i] = std::exp((static_cast<double>(logits[i]) - top) /
                              static_cast<double>(options.temperature));
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto weight_of = [&](TokenId id) { return weights[static_cast<std::size_t>(id)]; };
    std::sort(order.begin(), order.end(), [&](TokenId a, TokenId b) {
        return weight_of(a) != weight_of(b) ? weight_of(a) > weight_of(b) : a < b;
    });
    // The shortest run of the likeliest that holds top_p, at least one token.
    double kept = 0;
    std::size_t count = 0;
    while (count < order.size() &&
           (count == 0 || kept < static_cast<double>(options.top_p) * total))
        kept += weight_of(order[count++]);
    double left = rng.uniform() * kept;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        left -= weight_of(order[i]);
        if (left < 0) return order[i];
    }
    return order[count - 1];
}

Result<Generated> generate(const BaseModel& model, Sequence& sequence,
                           const GenerateOptions& options, const TextCallback& on_text) {
    MC_CHECK(options.temperature >= 0.0F && options.top_p > 0.0F && options.top_p <= 1.0F &&
                 options.repetition_penalty >= 1.0F,
             "sampling options out of range");
    const Tokenizer& tokenizer = model.tokenizer();
    Rng rng(options.seed);
    Generated out;
    TextStream stream(on_text);
    while (out.tokens.size() < options.tokens_max) {
        MC_ASSIGN(std::vector<float> logits, sequence.next_logits());
        penalise_repetition(logits, out.tokens, options.repetition_penalty);
        const TokenId token = choose_token(logits, options, rng);
        if (tokenizer.is_control(token)) {
            out.reason = StopReason::kEndOfText;
            break;
        }
        if (sequence.length() >= model.config().context_length) {
            out.reason = StopReason::kContextFull;
            break;
        }
        const std::vector<Segment> segment = {Segment::of_tokens({token})};
        MC_TRY(sequence.append(segment));
        out.tokens.push_back(token);
        out.text += tokenizer.bytes_of(token);
        if (!stream.push(tokenizer.bytes_of(token))) {
            out.reason = StopReason::kStopped;
            break;
        }
    }
    stream.finish();
    return out;
}

}  // namespace mc::lm
