// SPDX-License-Identifier: Apache-2.0
// The ceiling of delta-nll: descent on gists comes closer to what the full context predicts.
#include "gistnet/probes/gist_optimizer.h"

#include <gtest/gtest.h>

#include "gistnet/base_model_gist_encoder.h"
#include "lm/training/training_pass.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet {
namespace {

constexpr std::size_t kContext = 64;
constexpr std::size_t kHorizon = 40;

class GistOptimizerTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto encoder = make_gist_encoder(*model_, {});
        ASSERT_TRUE(encoder);
        std::vector<ReadWindow> read;
        for (std::size_t w = 0; w < 2; ++w) {
            const auto context = window(w).first(kContext);
            read.push_back({{context.begin(), context.end()}, 0});
        }
        gists_ = *(*encoder)->encode_windows(read, false);
        for (std::size_t w = 0; w < 2; ++w)
            problem_.push_back({gists_[w], window(w).first(kContext), window(w).last(kHorizon)});
    }

    std::span<const TokenId> window(std::size_t w) const {
        return std::span(tokens_).subspan((kContext + kHorizon) * w, kContext + kHorizon);
    }

    // Mean NLL of the horizon's scored tokens behind gists.
    double nll_behind(const std::vector<std::vector<Gist>>& gists) const {
        double sum = 0;
        for (std::size_t w = 0; w < 2; ++w) {
            std::vector<const Gist*> shown;
            for (const Gist& gist : gists[w]) shown.push_back(&gist);
            const auto horizon = window(w).last(kHorizon);
            const lm::ScoringCase one{
                {lm::Segment::of_tokens({model_->tokenizer().bos()}), lm::Segment::of_gists(shown)},
                {horizon.begin(), horizon.end()}};
            const auto scored = *model_->score_batch(std::span(&one, 1));
            for (std::size_t t = 1; t < kHorizon; ++t)
                sum += static_cast<double>(scored.front()[t]);
        }
        return sum / (2.0 * (kHorizon - 1));
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    std::vector<TokenId> tokens_ =
        lm::test::random_tokens(model_->tokenizer(), 2 * (kContext + kHorizon), 5);
    std::vector<std::vector<Gist>> gists_;
    std::vector<OptimizerWindow> problem_;
};

TEST_F(GistOptimizerTest, ComesCloserToTheFullContextsPredictions) {
    const auto found = optimize_gists(*model_, problem_);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_LT(found->divergence_after, 0.8 * found->divergence_before);
    ASSERT_EQ(found->gists.size(), 2U);
    ASSERT_EQ(found->gists[1].size(), 2U);
    EXPECT_NE(found->gists[1][0].kv, gists_[1][0].kv);
    EXPECT_EQ(found->gists[1][0].index_vector, gists_[1][0].index_vector);
}

TEST_F(GistOptimizerTest, WhatItFindsIsWhatTheModelReads) {
    // A second descent begins where the first ended: gists survive the way through halves.
    const auto found = optimize_gists(*model_, problem_);
    GistOptimizerOptions none;
    none.steps = 0;
    for (std::size_t w = 0; w < 2; ++w) problem_[w].start = found->gists[w];
    const auto again = optimize_gists(*model_, problem_, none);
    EXPECT_NEAR(again->divergence_before, found->divergence_after,
                0.01 * found->divergence_after + 1e-5);
    EXPECT_EQ(again->gists[1][1].kv, found->gists[1][1].kv);
    EXPECT_NE(nll_behind(found->gists), nll_behind(gists_));
}

TEST_F(GistOptimizerTest, FewerGistsLeaveMoreDivergence) {
    const auto both = optimize_gists(*model_, problem_);
    for (OptimizerWindow& window : problem_) window.start = window.start.last(1);
    const auto one = optimize_gists(*model_, problem_);
    EXPECT_LT(both->divergence_after, one->divergence_after);
}

TEST_F(GistOptimizerTest, TheModelStaysAsItWas) {
    const Hash128 before = lm::hash_of_weights(model_->torch_model());
    ASSERT_TRUE(optimize_gists(*model_, problem_));
    EXPECT_EQ(lm::hash_of_weights(model_->torch_model()), before);
}

}  // namespace
}  // namespace mc::gistnet
