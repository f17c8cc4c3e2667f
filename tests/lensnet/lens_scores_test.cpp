// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/lens_scores.h"

#include <gtest/gtest.h>

#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

std::vector<Prediction> predict(const std::vector<LabelledQuestion>& questions, double factor) {
    std::vector<Prediction> predictions;
    for (const LabelledQuestion& question : questions) {
        Prediction one{&question, {}};
        for (const LabelledCandidate& candidate : question.candidates)
            one.gains.push_back(factor * candidate.gain);
        predictions.push_back(one);
    }
    return predictions;
}

TEST(LensScores, OfTheLabelsThemselvesAreTheBest) {
    const auto questions = made_questions(20, 1);
    const LensScores scores = score_predictions(predict(questions, 1), 0);
    EXPECT_EQ(scores.questions, 15U);
    EXPECT_EQ(scores.captured_share, 1);
    EXPECT_EQ(scores.fact_first, 1);
    EXPECT_EQ(scores.absent_refused, 1);
    EXPECT_GT(scores.known_gain_min, 3);
    EXPECT_NEAR(scores.calibration_error, 0, 1e-9);
}

TEST(LensScores, OfTheLabelsTurnedRoundAreBelowChance) {
    const auto questions = made_questions(20, 1);
    const LensScores scores = score_predictions(predict(questions, -1), 0);
    EXPECT_LT(scores.captured_share, 0);
    EXPECT_EQ(scores.fact_first, 0);
    EXPECT_GT(scores.calibration_error, 0.5);
}

TEST(LensScores, OfNothingAreNothing) {
    const LensScores scores = score_predictions({}, 0);
    EXPECT_EQ(scores.questions, 0U);
    EXPECT_EQ(scores.captured_share, 0);
}

TEST(LensScores, APassageCostsWhatTheBestLosesBesideIt) {
    LabelledQuestion question;
    question.is_told = true;
    question.candidates.resize(3);
    question.readings = {{{}, -9},       {{0}, -8},         {{1}, -2},    {{2}, -9},
                         {{0, 1}, -2.5}, {{0, 1, 2}, -3.5}, {{0, 2}, -20}};
    EXPECT_DOUBLE_EQ(passage_price(std::span(&question, 1)), (0.5 + 0.75) / 2);
    question.readings[4].likelihood = question.readings[5].likelihood = -1;
    EXPECT_EQ(passage_price(std::span(&question, 1)), 0);
    question.readings[2].likelihood = -8.5;
    EXPECT_EQ(passage_price({}), 0);
}

}  // namespace
}  // namespace mc::lensnet
