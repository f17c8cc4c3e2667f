// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/lens_fit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

// Every weight and bias in the order of lens_loss()'s gradient.
std::vector<float*> numbers_of(FittedLens& lens) {
    std::vector<float*> numbers;
    for (DenseLayer& layer : lens.layers) {
        for (float& weight : layer.weights) numbers.push_back(&weight);
        for (float& bias : layer.biases) numbers.push_back(&bias);
    }
    return numbers;
}

TEST(LensFit, GradientIsTheSlopeOfTheLoss) {
    const auto questions = made_questions(12, 3);
    const auto pointers = pointers_to(questions);
    FittedLens lens = fit_lens(pointers, {5, 20, 1, {}});
    std::vector<double> gradient;
    lens_loss(pointers, lens, {}, &gradient);
    const auto numbers = numbers_of(lens);
    ASSERT_EQ(gradient.size(), numbers.size());
    constexpr float kStep = 1.0F / 256;  // exact in binary, small against the loss's bends
    for (std::size_t i = 0; i < numbers.size(); i += 7) {
        const float value = *numbers[i];
        *numbers[i] = value + kStep;
        const double above = lens_loss(pointers, lens, {}, nullptr);
        *numbers[i] = value - kStep;
        const double below = lens_loss(pointers, lens, {}, nullptr);
        *numbers[i] = value;
        EXPECT_NEAR(gradient[i], (above - below) / (2 * double{kStep}), 2e-3) << "number " << i;
    }
}

TEST(LensFit, RegressionAndNetLearnTheLaw) {
    const auto questions = made_questions(60, 1);
    const auto fresh = made_questions(20, 1000);
    for (const std::size_t hidden : {std::size_t{0}, std::size_t{8}}) {
        const FittedLens fitted = fit_lens(pointers_to(questions), {hidden, 600, 1, {}});
        const Lens lens({}, fitted.means, fitted.scales, fitted.layers);
        for (const LabelledQuestion& question : fresh) {
            if (!question.is_told) continue;
            const auto gains = lens.gains(question.signals());
            const auto best =
                static_cast<std::size_t>(std::ranges::max_element(gains) - gains.begin());
            EXPECT_TRUE(question.candidates[best].holds_fact) << "hidden " << hidden;
        }
    }
}

TEST(LensFit, EqualSeedsGiveEqualBits) {
    const auto questions = made_questions(10, 5);
    const FittedLens a = fit_lens(pointers_to(questions), {4, 30, 9, {}});
    const FittedLens b = fit_lens(pointers_to(questions), {4, 30, 9, {}});
    const FittedLens c = fit_lens(pointers_to(questions), {4, 30, 10, {}});
    EXPECT_EQ(a.layers[0].weights, b.layers[0].weights);
    EXPECT_NE(a.layers[0].weights, c.layers[0].weights);
}

TEST(LensFit, ASignalThatIsLeftOutChangesNothing) {
    const auto questions = made_questions(10, 5);
    const FittedLens fitted = fit_lens(pointers_to(questions), {0, 100, 1, {Signal::kNames}});
    const auto names = feature_names();
    const auto at = static_cast<std::size_t>(std::ranges::find(names, "names") - names.begin());
    EXPECT_EQ(fitted.layers[0].weights[at], 0.0F);
    EXPECT_EQ(fitted.means[at], 0.0);
}

TEST(LensFit, LabelsThatDisagreeWeighNothing) {
    LabelledQuestion question = made_question(0, true, Rng(1));
    question.reliability = 0.9;
    EXPECT_DOUBLE_EQ(weight_of(question), 0.9);
    question.reliability = 0.1;
    EXPECT_EQ(weight_of(question), 0);
    question.is_told = false;
    EXPECT_EQ(weight_of(question), 1);
}

}  // namespace
}  // namespace mc::lensnet
