// SPDX-License-Identifier: Apache-2.0
// Questions with labels that follow a law, for tests of LensNet.
#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "lensnet/labelled_question.h"
#include "lensnet/subset_regression.h"

namespace mc::lensnet {

inline Signals random_signals(Rng& rng) {
    Signals signals;
    for (std::size_t s = 0; s < kSignalCount; ++s)
        signals[static_cast<Signal>(s)] = 2 * rng.uniform() - 1;
    return signals;
}

// Readings of nothing, singles and random subsets whose likelihoods are sums of the gains.
inline std::vector<SubsetReading> readings_of(const std::vector<double>& gains,
                                              std::size_t random_count, Rng rng) {
    std::vector<SubsetReading> readings;
    for (const auto& subset : subsets_to_read(gains.size(), random_count, rng)) {
        SubsetReading reading{subset, -5};
        for (const std::size_t i : subset) reading.likelihood += gains[i];
        readings.push_back(reading);
    }
    return readings;
}

// One candidate answers: it has the greatest cosine, and gains 4 nats; the others lose half a nat.
// A question that is not told has no such candidate.
inline LabelledQuestion made_question(std::size_t item, bool is_told, Rng rng) {
    LabelledQuestion question;
    question.family = is_told ? "single-fact" : "absent";
    question.task = "home";
    question.item = item;
    question.length = 1000;
    question.question = "Where does Ada live?";
    question.is_told = is_told;
    const std::size_t right = rng.below(6);
    std::vector<double> gains;
    for (std::size_t i = 0; i < 6; ++i) {
        LabelledCandidate candidate;
        candidate.document = 0;
        candidate.tokens = {i * 40, i * 40 + 40};
        candidate.signals = random_signals(rng);
        candidate.holds_fact = is_told && i == right;
        candidate.signals[Signal::kCosine] = candidate.holds_fact ? 0.8 : 0.3 * rng.uniform();
        gains.push_back(candidate.holds_fact ? 4 : -0.5);
        question.candidates.push_back(candidate);
    }
    question.readings = readings_of(gains, 12, rng);
    const auto fitted = fit_gains(question.readings, gains.size());
    for (std::size_t i = 0; i < gains.size(); ++i) question.candidates[i].gain = fitted[i];
    question.reliability = split_half_reliability(question.readings, gains.size());
    return question;
}

inline std::vector<LabelledQuestion> made_questions(std::size_t count, std::uint64_t seed) {
    std::vector<LabelledQuestion> questions;
    for (std::size_t i = 0; i < count; ++i)
        questions.push_back(made_question(i, i % 4 != 3, Rng(seed + i)));
    return questions;
}

inline std::vector<const LabelledQuestion*> pointers_to(
    const std::vector<LabelledQuestion>& questions) {
    std::vector<const LabelledQuestion*> pointers;
    for (const LabelledQuestion& question : questions) pointers.push_back(&question);
    return pointers;
}

}  // namespace mc::lensnet
