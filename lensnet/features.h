// SPDX-License-Identifier: Apache-2.0
// From the signals of a question's candidates to the net's inputs.
//
// A candidate is seen by its own signals, by how far it stands above the best of the others, and by
// the best of all: "nothing speaks to this question" is a fact of the whole set. So a permutation
// of the candidates permutes the rows and changes nothing else. Pure. Value types.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lensnet/signals.h"

namespace mc::lensnet {

// Signals that are compared within the set.
inline constexpr std::array kComparedSignals = {
    Signal::kCosine, Signal::kWords, Signal::kQuestionLikelihood, Signal::kGistLikelihood};

inline constexpr std::size_t kFeatureCount = kSignalCount + 2 * kComparedSignals.size();

using Features = std::array<double, kFeatureCount>;

// "cosine", …, "cosine_margin", …, "cosine_best", ….
std::vector<std::string> feature_names();

// One row a candidate, in their order. A candidate without others has margins of 0.
std::vector<Features> features_of(std::span<const Signals> candidates);

}  // namespace mc::lensnet
