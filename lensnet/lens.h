// SPDX-License-Identifier: Apache-2.0
// LensNet: what showing a passage would gain its reader, in nats.
//
// The gain is the expected change of ln p(right answer) when the passage stands raw in the window
// instead of not at all; it is negative for what misleads. A stack of dense layers over
// standardised features with ReLU between them; one layer is a linear regression. Ownership: owns
// its weights. Threads: const, free. Cost: some thousand multiplications a candidate.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "lensnet/features.h"
#include "lensnet/signals.h"

namespace mc::lensnet {

// What a lens was trained for and what it says of itself.
struct LensFacts {
    std::string base_model_hash;  // 32 hex digits
    std::string base_model_name;
    std::string embedder_hash;   // of the sentence vectors; empty: none
    double known_gain_min = 0;   // nats: below it, of the best passage, the memory does not tell
    double passage_price = 0;    // nats that a passage costs the best one beside which it stands
    bool reads_passages = true;  // needs kQuestionLikelihood
    bool reads_gists = true;     // needs kGistLikelihood
};

// weights (outputs, inputs) row-major, biases (outputs).
struct DenseLayer {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    std::vector<float> weights;
    std::vector<float> biases;
};

class Lens {
  public:
    // Requires: layers fit each other, kFeatureCount inputs and one output; scales > 0.
    Lens(LensFacts facts, Features means, Features scales, std::vector<DenseLayer> layers);

    const LensFacts& facts() const { return facts_; }

    const Features& means() const { return means_; }

    const Features& scales() const { return scales_; }

    std::span<const DenseLayer> layers() const { return layers_; }

    // Gains in nats, in the candidates' order.
    std::vector<double> gains(std::span<const Signals> candidates) const;

    // What each signal adds to one candidate's gain: the gain as it is, less the gain with that
    // signal of this candidate, and what is compared by it, at the training set's mean. The parts
    // of a linear lens and its gain at the mean sum to the gain.
    // Requires: candidate < candidates.size().
    std::array<double, kSignalCount> parts(std::span<const Signals> candidates,
                                           std::size_t candidate) const;

  private:
    double gain_of(const Features& features) const;

    LensFacts facts_;
    Features means_;
    Features scales_;
    std::vector<DenseLayer> layers_;
};

}  // namespace mc::lensnet
