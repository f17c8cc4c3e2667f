// SPDX-License-Identifier: Apache-2.0
#include "runtime/answer_writer.h"

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
    AnswerCut cut(options.sentences_max);
    std::string written;
    const auto on_text = [&](std::string_view text) {
        if (answer.seconds_to_first_token == 0)
            answer.seconds_to_first_token = seconds_between(begin_ns, clock.monotonic_ns());
        const std::size_t shown = written.size();
        written += text;
        const std::string_view kept = cut.keep(written);
        const bool goes_on =
            !options.on_text || kept.size() <= shown || options.on_text(kept.substr(shown));
        return goes_on && !cut.ended_by_sentence() && !cut.ended_by_loop();
    };
    MC_ASSIGN(const lm::Generated generated,
              lm::generate(engine.model(), *sequence, generation_of(options), on_text));
    answer.text = cut.keep(generated.text);
    answer.new_tokens = static_cast<std::uint32_t>(generated.tokens.size());
    answer.stop_reason = cut.ended_by_sentence() ? AnswerEnd::kSentence
                         : cut.ended_by_loop()   ? AnswerEnd::kLoop
                                                 : static_cast<AnswerEnd>(generated.reason);
    answer.seconds = seconds_between(begin_ns, clock.monotonic_ns());
    count(engine.metrics(), answer);
    return answer;
}

}  // namespace mc::runtime
