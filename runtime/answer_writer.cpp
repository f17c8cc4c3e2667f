// SPDX-License-Identifier: Apache-2.0
#include "runtime/answer_writer.h"

#include <string>

#include "lm/generate.h"
#include "runtime/search/reader_text.h"

namespace mc::runtime {
namespace {

// The model's reasons keep their places.
static_assert(static_cast<int>(AnswerEnd::kEndOfText) ==
              static_cast<int>(lm::StopReason::kEndOfText));
static_assert(static_cast<int>(AnswerEnd::kStopped) == static_cast<int>(lm::StopReason::kStopped));

lm::GenerateOptions generation_of(const AnswerOptions& options) {
    lm::GenerateOptions generation;
    generation.tokens_max = options.tokens_max;
    generation.sampling = options.sampling;
    generation.seed = options.seed;
    generation.stop_strings = options.stop_strings;
    generation.interrupted = options.interrupted;
    return generation;
}

// An answer on its way from the model to whoever listens, who hears no more than what stays.
class HeardAnswer {
  public:
    explicit HeardAnswer(const AnswerOptions& options)
        : on_text_(options.on_text), cut_(options.sentences_max) {}

    // Whether the model is to write on.
    bool add(std::string_view text) {
        written_ += text;
        cut_.keep(written_);
        tell(cut_.settled(written_));
        return wanted_ && !cut_.ended();
    }

    // The answer. all: what the model wrote, which may have come with an end that add() never got.
    std::string end(const std::string& all) {
        if (!cut_.ended()) written_ = all;
        const std::string_view kept = cut_.ended() ? cut_.settled(written_) : cut_.keep(written_);
        tell(kept);
        return std::string(kept);
    }

    const AnswerCut& cut() const { return cut_; }

  private:
    void tell(std::string_view text) {
        if (!on_text_ || !wanted_ || text.size() <= told_bytes_) return;
        wanted_ = on_text_(text.substr(told_bytes_));
        told_bytes_ = text.size();
    }

    const lm::TextCallback& on_text_;
    AnswerCut cut_;
    std::string written_;
    std::size_t told_bytes_ = 0;
    bool wanted_ = true;  // the listener has not said stop
};

void count(telemetry::Metrics& metrics, const Answer& answer) {
    metrics.add(telemetry::Counter::kAnswerTokens, answer.new_tokens);
    metrics.observe(telemetry::Timing::kAnswer, answer.seconds);
    if (answer.seconds_to_first_token > 0)
        metrics.observe(telemetry::Timing::kFirstToken, answer.seconds_to_first_token);
}

}  // namespace

Result<Answer> write_answer(Engine& engine, std::span<const lm::Segment> prompt,
                            const AnswerOptions& options) {
    const Clock& clock = engine.clock();
    const std::int64_t begin_ns = clock.monotonic_ns();
    Answer answer;
    const auto sequence = engine.model().new_sequence();
    MC_TRY_CONTEXT(sequence->append(prompt), "reading the working context");
    answer.prompt_entries = sequence->length();
    HeardAnswer heard(options);
    const auto on_text = [&](std::string_view text) {
        if (answer.seconds_to_first_token == 0)
            answer.seconds_to_first_token = seconds_between(begin_ns, clock.monotonic_ns());
        return heard.add(text);
    };
    MC_ASSIGN(const lm::Generated generated,
              lm::generate(engine.model(), *sequence, generation_of(options), on_text));
    answer.text = heard.end(generated.text);
    const AnswerCut& cut = heard.cut();
    answer.new_tokens = static_cast<std::uint32_t>(generated.tokens.size());
    answer.stop_reason = cut.ended_by_sentence() ? AnswerEnd::kSentence
                         : cut.ended_by_loop()   ? AnswerEnd::kLoop
                                                 : static_cast<AnswerEnd>(generated.reason);
    answer.seconds = seconds_between(begin_ns, clock.monotonic_ns());
    count(engine.metrics(), answer);
    return answer;
}

}  // namespace mc::runtime
