// SPDX-License-Identifier: Apache-2.0
#include "gistnet/macros/lesson_reading.h"

#include <algorithm>

namespace mc::gistnet {
namespace {

// What is read of a lesson from where the instruction ends: all but the answer's last token.
std::vector<TokenId> read_of(const lm::TurnFrame& frame, const Lesson& lesson) {
    std::vector<TokenId> tokens = frame.before_message;
    for (const std::span<const TokenId> part :
         {std::span<const TokenId>(lesson.message), std::span<const TokenId>(frame.after_message),
          std::span<const TokenId>(lesson.answer).first(lesson.answer.size() - 1)})
        tokens.insert(tokens.end(), part.begin(), part.end());
    return tokens;
}

at::Tensor joined(std::span<const lm::TeacherPrediction> teachers,
                  std::span<const std::size_t> chosen,
                  const at::Tensor lm::TeacherPrediction::*part) {
    std::vector<at::Tensor> parts;
    for (const std::size_t i : chosen) parts.push_back(teachers[i].*part);
    return at::cat(parts);
}

}  // namespace

lm::TeacherPrediction teach(const lm::TorchModel& model, const lm::TurnFrame& frame,
                            std::span<const TokenId> instruction, const Lesson& lesson) {
    std::vector<std::vector<TokenId>> window = {frame.before_instruction};
    window[0].insert(window[0].end(), instruction.begin(), instruction.end());
    const std::vector<TokenId> rest = read_of(frame, lesson);
    window[0].insert(window[0].end(), rest.begin(), rest.end());
    const auto length = static_cast<std::int64_t>(window[0].size());
    const auto scored = static_cast<std::int64_t>(lesson.answer.size());
    const at::Tensor hidden =
        model.read_windows(window, length - 1).hidden[0].narrow(0, length - scored, scored);
    return lm::predict_as_teacher(model, hidden, model.token_index(lesson.answer));
}

LessonBatch make_lesson_batch(const lm::TorchModel& model, const lm::TurnFrame& frame,
                              std::span<const Lesson> lessons,
                              std::span<const lm::TeacherPrediction> teachers,
                              std::span<const std::size_t> chosen, std::int64_t gist_count) {
    const auto prefix = static_cast<std::int64_t>(frame.before_instruction.size());
    std::vector<std::vector<TokenId>> rows;
    std::size_t longest = 0;
    for (const std::size_t i : chosen) {
        rows.push_back(read_of(frame, lessons[i]));
        longest = std::max(longest, rows.back().size());
    }
    const std::int64_t width = prefix + static_cast<std::int64_t>(longest);
    std::vector<TokenId> read;
    std::vector<std::int64_t> scored;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto end = static_cast<std::int64_t>(r) * width + prefix +
                         static_cast<std::int64_t>(rows[r].size());
        const auto answered = static_cast<std::int64_t>(lessons[chosen[r]].answer.size());
        for (std::int64_t at = end - answered; at < end; ++at) scored.push_back(at);
        rows[r].resize(longest, model.tokenizer->bos());  // nothing looks back at what follows it
        read.insert(read.end(), frame.before_instruction.begin(), frame.before_instruction.end());
        read.insert(read.end(), rows[r].begin(), rows[r].end());
    }
    LessonBatch batch;
    batch.layout.first_columns.assign(rows.size(), 0);
    for (std::int64_t c = 0; c < width + gist_count; ++c) {
        const bool is_gist = c >= prefix && c < prefix + gist_count;
        (is_gist ? batch.layout.placed_columns : batch.layout.token_columns).push_back(c);
    }
    batch.inputs = model.embed(read).view({static_cast<std::int64_t>(rows.size()), width, -1});
    batch.scored = lm::index_tensor(scored);
    using Prediction = lm::TeacherPrediction;
    batch.teacher = {joined(teachers, chosen, &Prediction::nll),
                     joined(teachers, chosen, &Prediction::tokens),
                     joined(teachers, chosen, &Prediction::probabilities),
                     joined(teachers, chosen, &Prediction::targets)};
    return batch;
}

}  // namespace mc::gistnet
