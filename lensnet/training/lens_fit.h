// SPDX-License-Identifier: Apache-2.0
// Fits a lens to labelled questions by gradient descent.
//
// Loss of a question: the mean Huber loss of its candidates' gains (1 nat), and the divergence of
// softmax(predicted) from softmax(measured), which is about their order. A question counts by the
// reliability of its labels; one whose answer the memory lacks has no order and counts by its gains
// alone. Full batches, Adam (Kingma and Ba 2015) with a cosine schedule and decoupled weight decay;
// in double, so equal arguments give equal bits. Pure. Cost: some seconds for a thousand questions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lensnet/features.h"
#include "lensnet/labelled_question.h"
#include "lensnet/lens.h"

namespace mc::lensnet {

struct FitOptions {
    std::size_t hidden = 0;  // width of the one hidden layer; 0: a linear regression
    std::size_t steps = 500;
    std::uint64_t seed = 1;
    std::vector<Signal> without;  // signals that are held at 0
};

struct FittedLens {
    Features means{};
    Features scales{};
    std::vector<DenseLayer> layers;
    double loss = 0;  // of the last step
};

// Labels of less agreement say nothing of the question's candidates.
inline constexpr double kReliabilityMin = 0.3;

// What a question's labels weigh, 0 to 1.
double weight_of(const LabelledQuestion& question);

// Requires: some question has a weight and candidates.
FittedLens fit_lens(std::span<const LabelledQuestion* const> questions, const FitOptions& options);

// The loss of a net on questions and its gradient by every weight and bias, in the order weights,
// biases of each layer. For fit_lens() and its test.
double lens_loss(std::span<const LabelledQuestion* const> questions, const FittedLens& lens,
                 std::span<const Signal> without, std::vector<double>* gradient);

}  // namespace mc::lensnet
