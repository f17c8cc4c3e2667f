// SPDX-License-Identifier: Apache-2.0
#include "gistnet/macros/macro_lessons.h"

#include <set>
#include <utility>

#include "lm/generate.h"

namespace mc::gistnet {
namespace {

// Messages as a user might write them, not the likeliest one again and again.
constexpr lm::SamplingOptions kMessageSampling = {1.0F, 0, 0.9F};
// Drawn messages may be empty or come twice; so many are drawn for each that is wanted.
constexpr std::uint32_t kDrawsPerLesson = 4;

void extend(std::vector<TokenId>& to, std::span<const TokenId> more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::vector<lm::Segment> prompt_behind(const lm::TurnFrame& frame, const lm::Segment& instruction,
                                       std::span<const TokenId> message) {
    std::vector<lm::Segment> prompt = {lm::Segment::of_tokens(frame.before_instruction)};
    if (!instruction.tokens.empty())
        extend(prompt.front().tokens, instruction.tokens);
    else if (!instruction.gists.empty())
        prompt.push_back(instruction);
    std::vector<TokenId> rest = frame.before_message;
    extend(rest, message);
    extend(rest, frame.after_message);
    prompt.push_back(lm::Segment::of_tokens(std::move(rest)));
    return prompt;
}

Result<std::vector<TokenId>> write_greedily(const lm::BaseModel& model, lm::Sequence& sequence,
                                            std::uint32_t tokens_max) {
    lm::GenerateOptions greedy;
    greedy.tokens_max = tokens_max;
    MC_ASSIGN(lm::Generated answer, lm::generate(model, sequence, greedy));
    const bool said = !answer.tokens.empty();
    if (said && answer.reason == lm::StopReason::kEndOfText)
        answer.tokens.push_back(model.tokenizer().eos());
    return std::move(answer.tokens);
}

Result<std::vector<Lesson>> write_lessons(const lm::BaseModel& model, const lm::TurnFrame& frame,
                                          std::span<const TokenId> instruction,
                                          const LessonOptions& options) {
    std::vector<TokenId> before = frame.before_instruction;
    extend(before, instruction);
    extend(before, frame.before_message);
    const auto sequence = model.new_sequence();
    const lm::Segment opening = lm::Segment::of_tokens(before);
    MC_TRY(sequence->append(std::span(&opening, 1)));
    const std::uint32_t begin = sequence->length();
    const lm::Segment asked = lm::Segment::of_tokens(frame.after_message);
    std::set<std::vector<TokenId>> messages;
    std::vector<Lesson> lessons;
    for (std::uint64_t draw = 0;
         lessons.size() < options.count && draw < kDrawsPerLesson * options.count; ++draw) {
        if (options.cancelled && options.cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted");
        lm::GenerateOptions drawn;
        drawn.tokens_max = options.message_tokens_max;
        drawn.sampling = kMessageSampling;
        drawn.seed = Rng(options.seed + draw).next();
        drawn.stop_strings = {"\n"};
        sequence->truncate(begin);
        MC_ASSIGN(lm::Generated message, lm::generate(model, *sequence, drawn));
        // Encoded anew: what was drawn need not be how a text of these bytes is tokenised.
        std::vector<TokenId> tokens = model.tokenizer().encode(message.text);
        if (tokens.empty() || !messages.insert(tokens).second) continue;
        sequence->truncate(begin);
        const lm::Segment said = lm::Segment::of_tokens(tokens);
        MC_TRY(sequence->append(std::span(&said, 1)));
        MC_TRY(sequence->append(std::span(&asked, 1)));
        MC_ASSIGN(std::vector<TokenId> answer,
                  write_greedily(model, *sequence, options.answer_tokens_max));
        if (answer.empty()) continue;
        lessons.push_back({std::move(tokens), std::move(answer)});
        if (options.progress) options.progress(lessons.size(), options.count);
    }
    return lessons;
}

Result<std::vector<std::vector<float>>> score_lessons(const lm::BaseModel& model,
                                                      const lm::TurnFrame& frame,
                                                      const lm::Segment& instruction,
                                                      std::span<const Lesson> lessons) {
    std::vector<lm::ScoringCase> cases;
    for (const Lesson& lesson : lessons)
        cases.push_back({prompt_behind(frame, instruction, lesson.message), lesson.answer});
    return model.score_batch(cases);
}

double mean_nll(const std::vector<std::vector<float>>& scored) {
    double sum = 0;
    double count = 0;
    for (const std::vector<float>& answer : scored)
        for (const float nll : answer) {
            sum += static_cast<double>(nll);
            count += 1;
        }
    return sum / count;
}

}  // namespace mc::gistnet
