// SPDX-License-Identifier: Apache-2.0
// Tiled attention (heads 64 wide in bf16) and libtorch's own (all else) against the definition.
#include "lm/torch/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace mc::lm::test {
namespace {

std::vector<std::int64_t> from(std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> out(static_cast<std::size_t>(count));
    std::iota(out.begin(), out.end(), first);
    return out;
}

// Log-mass (B, 2, S) of a longer cache, as in use: 0 at the first key and at one in two others.
at::Tensor draw_log_mass(std::int64_t batch, std::int64_t key_count) {
    const at::Tensor steps = at::randint(-64, 64, {batch, 2, key_count + 9}) / 16;
    at::Tensor out = at::where(at::rand_like(steps) < 0.5, steps, at::zeros_like(steps));
    out.masked_fill_(at::rand_like(steps) < 0.1, -std::numeric_limits<float>::infinity());
    out.select(2, 0).zero_();
    return out.narrow(2, 0, key_count);
}

// Largest difference to attention in f64 by the definition.
double error_of(at::ScalarType dtype, std::int64_t batch, std::vector<std::int64_t> positions,
                std::int64_t dim, bool has_log_mass) {
    at::manual_seed(11);
    const auto steps = static_cast<std::int64_t>(positions.size());
    const std::int64_t key_count = positions.back() + 1;
    const at::Tensor q = at::randn({batch, 6, steps, dim}).to(dtype);
    // Views of a longer cache, as in use.
    const at::Tensor k =
        at::randn({batch, 2, key_count + 9, dim}).to(dtype).narrow(2, 0, key_count);
    const at::Tensor v =
        at::randn({batch, 2, key_count + 9, dim}).to(dtype).narrow(2, 0, key_count);
    const at::Tensor log_mass = has_log_mass ? draw_log_mass(batch, key_count) : at::Tensor();
    const at::Tensor out = attend(q, k, v, positions, log_mass).to(at::kDouble);

    const auto by_query_head = [](const at::Tensor& x) {
        return x.to(at::kDouble).repeat_interleave(3, 1);
    };
    at::Tensor scores = at::matmul(q.to(at::kDouble), by_query_head(k).transpose(2, 3)) /
                        std::sqrt(static_cast<double>(dim));
    if (has_log_mass) scores = scores + by_query_head(log_mass).unsqueeze(2);
    const at::Tensor later = at::arange(key_count).unsqueeze(0) >
                             at::tensor(at::IntArrayRef(positions), at::kLong).unsqueeze(1);
    const at::Tensor weights =
        at::softmax(scores.masked_fill(later, -std::numeric_limits<double>::infinity()), -1);
    const at::Tensor expected =
        at::matmul(weights, by_query_head(v)).transpose(1, 2).reshape({batch * steps, -1});
    EXPECT_EQ(out.sizes(), expected.sizes());
    return (out - expected).abs().max().item<double>();
}

class Attention : public testing::TestWithParam<at::ScalarType> {
  protected:
    double tolerance() const { return GetParam() == at::kBFloat16 ? 0.04 : 1e-5; }

    // With heads of either width, keys with and without log-mass.
    double error(std::int64_t batch, const std::vector<std::int64_t>& positions) const {
        double largest = 0;
        for (const std::int64_t dim : {8, 64})
            for (const bool has_log_mass : {false, true})
                largest =
                    std::max(largest, error_of(GetParam(), batch, positions, dim, has_log_mass));
        return largest;
    }
};

TEST_P(Attention, a_dense_pass_equals_the_definition) {
    for (const std::int64_t steps : {1, 2, 11, 12, 13, 31, 128, 300})
        EXPECT_LT(error(2, from(0, steps)), tolerance()) << steps;
}

TEST_P(Attention, queries_after_a_cached_prefix_see_all_of_it) {
    for (const std::int64_t steps : {1, 2, 130})
        EXPECT_LT(error(1, from(77, steps)), tolerance()) << steps;
}

TEST_P(Attention, keys_beyond_one_block_are_carried_on) {
    EXPECT_LT(error(1, from(1000, 50)), tolerance());
    EXPECT_LT(error(1, from(0, 1100)), tolerance());
    EXPECT_LT(error(1, {3, 700, 1300, 1301}), tolerance());
}

// The softmax carries its top along: later keys may lie far above all before them, or below.
TEST(TiledAttention, scores_that_rise_and_fall_by_hundreds_stay_exact) {
    at::manual_seed(13);
    const at::Tensor q = at::randn({1, 2, 3, 64}).to(at::kBFloat16);
    at::Tensor k = at::randn({1, 2, 1536, 64});
    k.narrow(2, 600, 300).mul_(40);
    k = k.to(at::kBFloat16);
    const at::Tensor v = at::randn({1, 2, 1536, 64}).to(at::kBFloat16);
    const std::vector<std::int64_t> positions = {500, 800, 1535};
    const at::Tensor fast = attend(q, k, v, positions);
    const at::Tensor plain = attend(q, k, v.clone().requires_grad_(true), positions);
    EXPECT_TRUE(at::isfinite(fast).all().item<bool>());
    EXPECT_LT((fast - plain.detach()).abs().max().item<float>(), 0.04F);
}

TEST_P(Attention, queries_with_gaps_see_the_entries_between_them) {
    EXPECT_LT(error(2, {0, 9, 10, 11, 40, 41, 99}), tolerance());
}

TEST_P(Attention, works_inside_and_outside_inference_mode) {
    const c10::InferenceMode inference;
    EXPECT_LT(error(2, from(3, 200)), tolerance());
}

TEST_P(Attention, the_differentiable_form_agrees) {
    at::manual_seed(12);
    const at::Tensor q = at::randn({2, 6, 40, 64}).to(GetParam());
    const at::Tensor k = at::randn({2, 2, 50, 64}).to(GetParam());
    const at::Tensor v = at::randn({2, 2, 50, 64}).to(GetParam());
    const std::vector<std::int64_t> positions = from(10, 40);
    const at::Tensor fast = attend(q, k, v, positions);
    const at::Tensor recorded = attend(q, k, v.clone().requires_grad_(true), positions);
    EXPECT_TRUE(recorded.requires_grad());
    EXPECT_LT((fast - recorded.detach()).abs().max().item<float>(), tolerance());
    const at::Tensor log_mass = at::zeros({2, 2, 50}).requires_grad_(true);
    EXPECT_TRUE(attend(q, k, v, positions, log_mass).requires_grad());
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Attention, testing::Values(at::kFloat, at::kBFloat16));

}  // namespace
}  // namespace mc::lm::test
