// SPDX-License-Identifier: Apache-2.0
// Sensitivity is the gradient of the horizon's NLL: measured against finite differences.
#include "gistnet/probes/gist_sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gistnet/base_model_gist_encoder.h"
#include "lm/torch/torch_model.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet {
namespace {

constexpr std::size_t kContext = 32;  // one gist, so that the root mean square is the gradient
constexpr std::size_t kHorizon = 24;

float as_float(std::uint16_t half) {
    return static_cast<float>(c10::Half(half, c10::Half::from_bits()));
}

class GistSensitivityTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto encoder = make_gist_encoder(*model_, {});
        ASSERT_TRUE(encoder);
        const std::vector<ReadWindow> read = {{{tokens_.begin(), tokens_.begin() + kContext}, 0}};
        gists_ = encoder.value()->encode_windows(read, false)->front();
    }

    std::span<const TokenId> horizon() const { return std::span(tokens_).subspan(kContext); }

    double nll_behind(const Gist& gist) const {
        const lm::ScoringCase one{
            {lm::Segment::of_tokens({model_->tokenizer().bos()}), lm::Segment::of_gists({&gist})},
            {horizon().begin(), horizon().end()}};
        const auto scored = *model_->score_batch(std::span(&one, 1));
        double sum = 0;
        for (std::size_t t = 1; t < kHorizon; ++t) sum += static_cast<double>(scored.front()[t]);
        return sum;
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    std::vector<TokenId> tokens_ =
        lm::test::random_tokens(model_->tokenizer(), kContext + kHorizon, 9);
    std::vector<Gist> gists_;
};

TEST_F(GistSensitivityTest, IsWhatAStepOfEachNumberDoesToTheLikelihood) {
    const OptimizerWindow window{gists_, std::span(tokens_).first(kContext), horizon()};
    const auto found = gist_sensitivity(*model_, std::span(&window, 1));
    ASSERT_TRUE(found) << found.error().to_string();
    ASSERT_EQ(found->size(), model_->config().gist_shape().kv_count());
    double largest = 0;
    for (const float one : *found) largest = std::max(largest, static_cast<double>(one));
    ASSERT_GT(largest, 0.0);
    for (std::size_t i = 0; i < found->size(); i += 3) {
        Gist up = gists_.front();
        Gist down = up;
        const float value = as_float(up.kv[i]);
        up.kv[i] = c10::Half(value + 0.02F).x;
        down.kv[i] = c10::Half(value - 0.02F).x;
        const double step = static_cast<double>(as_float(up.kv[i]) - as_float(down.kv[i]));
        const double slope = (nll_behind(up) - nll_behind(down)) / step;
        EXPECT_NEAR(static_cast<double>((*found)[i]), std::abs(slope), 0.02 * largest) << i;
    }
}

TEST_F(GistSensitivityTest, IsARootMeanSquareOverWindows) {
    const OptimizerWindow window{gists_, std::span(tokens_).first(kContext), horizon()};
    const std::vector<OptimizerWindow> ten(10, window);
    const auto one = gist_sensitivity(*model_, std::span(&window, 1));
    const auto many = gist_sensitivity(*model_, ten);
    ASSERT_TRUE(one && many);
    for (std::size_t i = 0; i < one->size(); ++i)
        EXPECT_NEAR((*many)[i], (*one)[i], 1e-3F + 1e-3F * (*one)[i]);
}

}  // namespace
}  // namespace mc::gistnet
