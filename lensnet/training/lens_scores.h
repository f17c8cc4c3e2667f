// SPDX-License-Identifier: Apache-2.0
// How good predicted gains are, on questions that were not learned from.
//
// Captured share: of the labels' gain that a choice of passages could have over a random one, how
// much the lens's choice has. A choice's gain is the sum of its candidates' labels; the random one
// shows as many; the best one is chosen by the very labels that score it, so it measures its own
// luck too and shares are rated too low, never too high. Questions whose labels cannot be relied on
// are left out. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lensnet/labelled_question.h"

namespace mc::lensnet {

// Predicted gains of one question's candidates.
struct Prediction {
    const LabelledQuestion* question = nullptr;
    std::vector<double> gains;
};

struct CalibrationBin {
    double predicted = 0;  // mean, nats
    double measured = 0;
    std::size_t candidates = 0;
};

struct LensScores {
    std::size_t questions = 0;     // that count
    double chosen_gain = 0;        // mean of a question, nats
    double random_gain = 0;        // of as many at random
    double best_gain = 0;          // of the best choice
    double captured_share = 0;     // (chosen − random) / (best − random)
    double fact_first = 0;         // share of the questions with a fact among the candidates
                                   // whose likeliest candidate holds one
    double rule_fact_first = 0;    // the same of the order that the search gives
    double known_gain_min = 0;     // nats: 19 of 20 told questions with a fact among their
                                   // candidates have a best gain from it on
    double absent_refused = 0;     // share of the questions without an answer below it
    double calibration_error = 0;  // nats, mean over bins by their candidates
    std::vector<CalibrationBin> calibration;
};

// passage_price: what a passage behind the best must gain to be shown.
LensScores score_predictions(std::span<const Prediction> predictions, double passage_price);

// What a passage costs the best one beside which it stands, in nats, at least 0: over questions
// with an answer and readings that show the candidate that is best alone among others, the mean of
// what is lost for each of those.
double passage_price(std::span<const LabelledQuestion> questions);

}  // namespace mc::lensnet
