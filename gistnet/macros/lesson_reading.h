// SPDX-License-Identifier: Apache-2.0
// Lessons as tensors: what the whole instruction predicts of each answer, and how a student reads
// several of them at once behind gists.
//
// Letters: B lessons of a batch, P gists, T tokens of the longest one's reading, N scored tokens of
// all, W hidden width. Threads: one, with the model. Errors: libtorch's exceptions pass
// (torch_fence.h).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gistnet/macros/macro_lessons.h"
#include "lm/torch/torch_model.h"
#include "lm/training/distillation.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {

// What the model predicts of a lesson's answer when it reads the whole instruction.
lm::TeacherPrediction teach(const lm::TorchModel& model, const lm::TurnFrame& frame,
                            std::span<const TokenId> instruction, const Lesson& lesson);

struct LessonBatch {
    lm::PassLayout layout;
    at::Tensor inputs;              // (B, T, W); behind a shorter lesson's end nothing is scored
    at::Tensor scored;              // (N) int64: rows of the hidden states (B × T, W)
    lm::TeacherPrediction teacher;  // of the scored rows, in their order
};

// chosen: which lessons. teachers: of all lessons.
LessonBatch make_lesson_batch(const lm::TorchModel& model, const lm::TurnFrame& frame,
                              std::span<const Lesson> lessons,
                              std::span<const lm::TeacherPrediction> teachers,
                              std::span<const std::size_t> chosen, std::int64_t gist_count);

}  // namespace mc::gistnet
