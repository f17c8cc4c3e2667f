// SPDX-License-Identifier: Apache-2.0
// Pooling against straightforward loops over what the base model read, and gists as tensors.
#include "gistnet/pooling/pooler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/pooling/attention_pooler.h"
#include "gistnet/pooling/gist_tensors.h"
#include "lm/torch/torch_model.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

constexpr std::size_t kBlock = kBlockSize;

float half_at(const Gist& gist, const GistShape& shape, std::size_t layer, std::size_t which,
              std::size_t head, std::size_t d) {
    const std::size_t i = ((layer * 2 + which) * shape.kv_head_count + head) * shape.head_dim + d;
    return static_cast<float>(c10::Half(gist.kv[i], c10::Half::from_bits()));
}

class Pooling : public testing::TestWithParam<std::string> {
  protected:
    // The pooled number of 32, by the definition.
    float expected(const std::vector<float>& slots) const {
        if (GetParam() == "kv-last") return slots.back();
        double sum = 0;
        for (const float x : slots) sum += static_cast<double>(x);
        return static_cast<float>(sum / static_cast<double>(kBlock));
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    GistShape shape_ = model_->config().gist_shape();
    std::unique_ptr<GistEncoder> encoder_ = make_gist_encoder(*model_, {GetParam(), 0}).value();
};

TEST_P(Pooling, a_gist_pools_the_keys_and_values_of_its_block_head_by_head) {
    const std::vector<TokenId> tokens = lm::test::random_tokens(model_->tokenizer(), 20 + 64, 5);
    const std::vector<ReadWindow> windows = {{tokens, 20}};
    const auto made = encoder_->encode_windows(windows, false).value();
    ASSERT_EQ(made.front().size(), 2U);

    const c10::InferenceMode inference;
    std::vector<std::vector<TokenId>> read = {{model_->tokenizer().bos()}};
    read[0].insert(read[0].end(), tokens.begin(), tokens.end());
    const lm::ReadOutput out = model_->torch_model().read_windows(read, 0);
    for (std::size_t block = 0; block < 2; ++block)
        for (std::size_t l = 0; l < shape_.layer_count; ++l)
            for (std::size_t h = 0; h < shape_.kv_head_count; ++h)
                for (std::size_t d = 0; d < shape_.head_dim; ++d)
                    for (std::size_t which = 0; which < 2; ++which) {
                        const at::Tensor& x = which == 0 ? out.keys : out.values;
                        std::vector<float> slots;
                        for (std::size_t t = 0; t < kBlock; ++t)
                            slots.push_back(x.index({0, std::int64_t(l), std::int64_t(h),
                                                     std::int64_t(1 + 20 + block * kBlock + t),
                                                     std::int64_t(d)})
                                                .item<float>());
                        const float pooled = expected(slots);
                        ASSERT_NEAR(half_at(made[0][block], shape_, l, which, h, d), pooled,
                                    2e-3F * std::abs(pooled) + 1e-4F);
                    }
}

TEST_P(Pooling, a_parent_pools_its_32_children_by_the_same_rule) {
    const std::vector<TokenId> tokens =
        lm::test::random_tokens(model_->tokenizer(), 2 * 8 * kBlock, 6);
    std::vector<ReadWindow> windows;
    for (std::size_t i = 0; i < 4; ++i)
        windows.push_back({{tokens.begin() + std::ptrdiff_t(i * 64),
                            tokens.begin() + std::ptrdiff_t(i * 64 + 8 * kBlock)},
                           0});
    std::vector<Gist> children;
    auto made = encoder_->encode_windows(windows, false).value();
    for (std::vector<Gist>& window : made)
        for (Gist& gist : window) children.push_back(std::move(gist));
    ASSERT_EQ(children.size(), kBlock);
    const std::vector<SiblingGists> families = {children};
    const std::vector<Gist> parents = encoder_->encode_parents(families).value();
    ASSERT_EQ(parents.size(), 1U);
    for (std::size_t l = 0; l < shape_.layer_count; ++l)
        for (std::size_t which = 0; which < 2; ++which)
            for (std::size_t h = 0; h < shape_.kv_head_count; ++h)
                for (std::size_t d = 0; d < shape_.head_dim; ++d) {
                    std::vector<float> slots;
                    for (const Gist& child : children)
                        slots.push_back(half_at(child, shape_, l, which, h, d));
                    const float pooled = expected(slots);
                    ASSERT_NEAR(half_at(parents[0], shape_, l, which, h, d), pooled,
                                1e-3F * std::abs(pooled) + 1e-5F);
                }
}

INSTANTIATE_TEST_SUITE_P(Poolings, Pooling, testing::Values("kv-mean", "kv-last"),
                         [](const auto& tested) {
                             return tested.param == "kv-mean" ? "mean" : "last";
                         });

// Blocks are fitted some at a time; which ones stand together says nothing.
TEST(MatchPooler, a_gist_does_not_depend_on_the_blocks_beside_it_and_has_a_mass) {
    const auto model = lm::test::make_tiny_model();
    const auto encoder = make_gist_encoder(*model, {"kv-match", 0}).value();
    EXPECT_EQ(encoder->info().name, "kv-match (untrained)");
    const std::vector<TokenId> tokens = lm::test::random_tokens(model->tokenizer(), 12 * kBlock, 8);
    const std::vector<ReadWindow> whole = {{tokens, 0}};
    const std::vector<ReadWindow> last = {{tokens, 11 * kBlock}};
    const Gist together = encoder->encode_windows(whole, false).value()[0].back();
    const Gist alone = encoder->encode_windows(last, false).value()[0].back();
    EXPECT_EQ(together.log_mass.size(), model->config().gist_shape().log_mass_count());
    EXPECT_EQ(together.log_mass, alone.log_mass);
    for (std::size_t i = 0; i < together.kv.size(); ++i) {
        const auto value = [&](const Gist& gist) {
            return static_cast<float>(c10::Half(gist.kv[i], c10::Half::from_bits()));
        };
        ASSERT_NEAR(value(together), value(alone), 2e-2F * std::abs(value(alone)) + 1e-3F) << i;
    }
}

TEST(MatchPooler, a_parent_stands_for_its_children) {
    const auto model = lm::test::make_tiny_model();
    const auto encoder = make_gist_encoder(*model, {"kv-match", 0}).value();
    const std::vector<TokenId> tokens = lm::test::random_tokens(model->tokenizer(), kBlock, 9);
    const std::vector<ReadWindow> window = {{tokens, 0}};
    const std::vector<Gist> children(kBlock, encoder->encode_windows(window, false).value()[0][0]);
    const std::vector<SiblingGists> families = {children};
    const Gist parent = encoder->encode_parents(families).value().front();
    // Thirty-two alike have more mass than one.
    double more = 0;
    for (std::size_t i = 0; i < parent.log_mass.size(); ++i)
        more += parent.log_mass[i] > children[0].log_mass[i] ? 1 : -1;
    EXPECT_GT(more, 0);
}

TEST(GistTensors, numbers_beyond_half_precision_are_clamped_not_infinite) {
    const at::Tensor x = at::tensor({1e6F, -1e6F, 1.0F, 0.0F}).view({1, 1, 1, 4});
    const std::vector<Gist> gists = make_gists({x, x}, at::ones({1, 2}));
    const GistShape shape{1, 1, 4, 2};
    for (std::size_t which = 0; which < 2; ++which) {
        EXPECT_EQ(half_at(gists[0], shape, 0, which, 0, 0), 65504.0F);
        EXPECT_EQ(half_at(gists[0], shape, 0, which, 0, 1), -65504.0F);
        EXPECT_EQ(half_at(gists[0], shape, 0, which, 0, 2), 1.0F);
    }
}

TEST(GistTensors, log_mass_is_rounded_to_its_steps_and_none_is_kept_where_it_is_zero) {
    const at::Tensor x = at::ones({3, 1, 2, 4});
    const float none = -std::numeric_limits<float>::infinity();
    const at::Tensor log_mass =
        at::tensor({0.26F, -0.26F, none, 99.0F, 0.01F, -0.01F}).view({3, 1, 2});
    const std::vector<Gist> gists = make_gists({x, x, log_mass}, at::ones({3, 2}));
    EXPECT_EQ(gists[0].log_mass, (std::vector<std::int8_t>{4, -4}));
    EXPECT_EQ(gists[1].log_mass, (std::vector<std::int8_t>{kLogMassAbsent, 127}));
    EXPECT_TRUE(gists[2].log_mass.empty());
    EXPECT_EQ(log_mass_of(gists[0].log_mass[1]), -0.25F);
    EXPECT_EQ(log_mass_of(kLogMassAbsent), none);
    EXPECT_TRUE(make_gists({x, x}, at::ones({3, 2}))[0].log_mass.empty());
}

TEST(AttentionPooler, log_mass_is_a_map_of_the_pooled_vectors_within_bounds) {
    const GistShape shape{2, 3, 4, 0};
    LevelParameters level = initial_parameters(shape, 2, 1);
    const KeysValues blocks = {at::randn({5, 2, 3, 32, 4}), at::randn({5, 2, 3, 32, 4})};
    EXPECT_EQ(pool(level, blocks).log_mass.abs().max().item<float>(), 0.0F);
    level.mass_bias.fill_(0.5);
    EXPECT_TRUE(at::allclose(pool(level, blocks).log_mass, at::full({5, 2, 3}, 0.5)));
    // The first query's pooled key is the gist's key: its maps are the identity and zero.
    level.mass_map.narrow(2, 0, 4).fill_(2);
    const KeysValues pooled = pool(level, blocks);
    EXPECT_TRUE(at::equal(at::sign(pooled.log_mass - 0.5), at::sign(pooled.keys.sum(-1))));
    level.mass_bias.fill_(100);
    EXPECT_EQ(pool(level, blocks).log_mass.min().item<double>(), kLogMassMax);
    level.mass_bias.fill_(-100);
    EXPECT_EQ(pool(level, blocks).log_mass.max().item<double>(), kLogMassMin);
}

TEST(GistTensors, a_zero_vector_stays_zero_at_unit_length) {
    EXPECT_TRUE(at::equal(at_unit_length(at::zeros({2, 3})), at::zeros({2, 3})));
}

TEST(GistTensors, pooling_carries_gradients) {
    const auto pooler = make_untrained_pooler("kv-mean");
    const at::Tensor keys = at::randn({2, 1, 1, 32, 4}).requires_grad_(true);
    const KeysValues pooled = pooler->pool_block({keys, keys * 2});
    (pooled.keys.sum() + pooled.values.sum()).backward();
    EXPECT_TRUE(at::allclose(keys.grad(), at::full_like(keys, 3.0 / 32)));
}

}  // namespace
}  // namespace mc::gistnet::test
