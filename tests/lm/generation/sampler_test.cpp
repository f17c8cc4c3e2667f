// SPDX-License-Identifier: Apache-2.0
#include "lm/generation/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace mc::lm::test {
namespace {

SamplingOptions at_temperature(float temperature) {
    SamplingOptions options;
    options.temperature = temperature;
    return options;
}

// How often each token is drawn.
std::map<TokenId, int> draws(const std::vector<float>& logits, const SamplingOptions& options,
                             int count) {
    Rng rng(2);
    std::map<TokenId, int> counts;
    for (int i = 0; i < count; ++i) ++counts[choose_token(logits, options, rng)];
    return counts;
}

std::vector<TokenId> drawn(const std::vector<float>& logits, const SamplingOptions& options) {
    std::vector<TokenId> tokens;
    for (const auto& [token, count] : draws(logits, options, 3000)) tokens.push_back(token);
    return tokens;
}

// Logits of these probabilities.
std::vector<float> logits_of(const std::vector<double>& probabilities) {
    std::vector<float> logits;
    for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p) + 3.0));
    return logits;
}

TEST(ChooseToken, temperature_zero_takes_the_likeliest) {
    Rng rng(1);
    const std::vector<float> logits = {0.5F, 3.0F, 2.9F, -1.0F};
    for (int i = 0; i < 20; ++i) EXPECT_EQ(choose_token(logits, {}, rng), 1);
}

TEST(ChooseToken, frequencies_follow_the_softmax) {
    const std::vector<float> logits = {0.0F, 2.0F * std::log(3.0F)};       // 1 : 3 at temperature 2
    EXPECT_NEAR(draws(logits, at_temperature(2.0F), 4000)[1], 3000, 140);  // five deviations
}

TEST(ChooseToken, top_k_keeps_the_k_likeliest_the_smaller_id_first) {
    SamplingOptions options = at_temperature(1.0F);
    const std::vector<float> logits = logits_of({0.1, 0.3, 0.1, 0.3, 0.2});
    options.top_k = 3;
    EXPECT_EQ(drawn(logits, options), (std::vector<TokenId>{1, 3, 4}));
    options.top_k = 4;
    EXPECT_EQ(drawn(logits, options), (std::vector<TokenId>{0, 1, 3, 4}));
    options.top_k = 1;
    EXPECT_EQ(drawn(logits, options), std::vector<TokenId>{1});
    options.top_k = 99;
    EXPECT_EQ(drawn(logits, options).size(), 5U);
}

TEST(ChooseToken, top_p_keeps_the_shortest_run_of_the_likeliest_that_holds_it) {
    SamplingOptions options = at_temperature(1.0F);
    const std::vector<float> logits = logits_of({0.1, 0.5, 0.05, 0.3, 0.05});
    options.top_p = 0.79F;
    EXPECT_EQ(drawn(logits, options), (std::vector<TokenId>{1, 3}));
    options.top_p = 0.81F;
    EXPECT_EQ(drawn(logits, options), (std::vector<TokenId>{0, 1, 3}));
    options.top_p = 0.01F;
    EXPECT_EQ(drawn(logits, options), std::vector<TokenId>{1});
}

TEST(ChooseToken, top_p_finds_runs_longer_than_its_first_sort) {
    SamplingOptions options = at_temperature(1.0F);
    options.top_p = 0.5F;
    const std::vector<float> logits(1000, 1.0F);
    const std::vector<TokenId> tokens = drawn(logits, options);
    EXPECT_LT(tokens.back(), 501);
    EXPECT_GT(tokens.size(), 450U);
}

TEST(ChooseToken, min_p_is_a_share_of_the_likeliest) {
    SamplingOptions options = at_temperature(1.0F);
    const std::vector<float> logits = logits_of({0.5, 0.26, 0.24});
    options.min_p = 0.5F;
    EXPECT_EQ(drawn(logits, options), (std::vector<TokenId>{0, 1}));
    options.min_p = 1.0F;
    EXPECT_EQ(drawn(logits, options), std::vector<TokenId>{0});
}

TEST(ChooseToken, each_filter_works_on_what_the_one_before_it_left) {
    // Temperature first: 0.6 and 0.4 become 9 : 4, so top_p = 0.65 keeps one, not two.
    SamplingOptions options = at_temperature(0.5F);
    options.top_p = 0.65F;
    EXPECT_EQ(drawn(logits_of({0.6, 0.4}), options), std::vector<TokenId>{0});
    // Then top_k: 0.4 of the 0.7 that are left is more than top_p asks for.
    options = at_temperature(1.0F);
    options.top_k = 2;
    options.top_p = 0.55F;
    EXPECT_EQ(drawn(logits_of({0.4, 0.3, 0.3}), options), std::vector<TokenId>{0});
}

TEST(PenaliseRepetition, lowers_each_written_token_once_and_no_other) {
    std::vector<float> logits = {2.4F, -1.0F, 3.0F, 0.5F};
    const std::vector<TokenId> written = {0, 1, 0, 900};  // 900: a byte token, which has no logit
    penalise_repetition(logits, written, 1.2F);
    EXPECT_FLOAT_EQ(logits[0], 2.0F);
    EXPECT_FLOAT_EQ(logits[1], -1.2F);
    EXPECT_FLOAT_EQ(logits[2], 3.0F);
    EXPECT_FLOAT_EQ(logits[3], 0.5F);
}

TEST(CheckSampling, names_what_is_out_of_range) {
    EXPECT_TRUE(check_sampling({}));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto refused = [](const SamplingOptions& options, const char* what) {
        const auto checked = check_sampling(options);
        ASSERT_FALSE(checked);
        EXPECT_NE(checked.error().to_string().find(what), std::string::npos);
    };
    for (const float wrong : {-0.1F, nan}) refused({.temperature = wrong}, "temperature");
    for (const float wrong : {0.0F, 1.1F, nan}) refused({.top_p = wrong}, "top-p");
    for (const float wrong : {-0.1F, 1.1F, nan}) refused({.min_p = wrong}, "min-p");
    for (const float wrong : {0.9F, nan}) refused({.repetition_penalty = wrong}, "penalty");
}

}  // namespace
}  // namespace mc::lm::test
