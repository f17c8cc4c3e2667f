// SPDX-License-Identifier: Apache-2.0
// What a teacher predicts, and how far a student is from it, with the student's gradient.
//
// The teacher is known by its likeliest tokens and one bucket for all others. Loss of a row, in
// nats: kl_weight × KL(teacher ‖ student) + (1 - kl_weight) × NLL of the target; the weighted mean
// over rows. Threads: one, with the model. Errors: libtorch's exceptions pass. Letters: N rows, W
// hidden width, K = kTeacherTokens.
#pragma once

#include "lm/torch/torch_model.h"

namespace mc::lm {

inline constexpr std::int64_t kTeacherTokens = 64;

struct TeacherPrediction {
    at::Tensor nll;            // (N) f32: of the targets, nats
    at::Tensor tokens;         // (N, K) int64, likeliest first
    at::Tensor probabilities;  // (N, K) f32
    at::Tensor targets;        // (N) int64: the tokens that the text goes on with
};

TeacherPrediction predict_as_teacher(const TorchModel& model, const at::Tensor& hidden,
                                     const at::Tensor& targets);

struct DistillationLoss {
    double weighted = 0;         // the loss, nats
    double divergence = 0;       // plain mean of the KL, nats
    double nll = 0;              // plain mean, nats
    at::Tensor hidden_gradient;  // (N, W) of the weighted mean, in the model's dtype
};

// hidden (N, W): the student's, in the teacher's rows' order; weights (N) f32, not negative. CPU.
DistillationLoss distil(const TorchModel& model, const at::Tensor& hidden,
                        const TeacherPrediction& teacher, const at::Tensor& weights,
                        double kl_weight);

}  // namespace mc::lm
