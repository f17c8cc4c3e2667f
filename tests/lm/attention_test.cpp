// SPDX-License-Identifier: Apache-2.0
// Blocked attention against libtorch's own, which a recorded gradient selects.
#include "lm/internal/attention.h"

#include <gtest/gtest.h>

#include <numeric>

namespace mc::lm::test {
namespace {

std::vector<std::int64_t> from(std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> out(static_cast<std::size_t>(count));
    std::iota(out.begin(), out.end(), first);
    return out;
}

// Largest difference to attention in f64 by the definition.
double error_of(at::ScalarType dtype, std::int64_t batch, std::vector<std::int64_t> positions) {
    at::manual_seed(11);
    const auto steps = static_cast<std::int64_t>(positions.size());
    const std::int64_t key_count = positions.back() + 1;
    const at::Tensor q = at::randn({batch, 6, steps, 8}).to(dtype);
    // Views of a longer cache, as in use.
    const at::Tensor k = at::randn({batch, 2, key_count + 9, 8}).to(dtype).narrow(2, 0, key_count);
    const at::Tensor v = at::randn({batch, 2, key_count + 9, 8}).to(dtype).narrow(2, 0, key_count);
    const at::Tensor out = attend(q, k, v, positions).to(at::kDouble);

    const auto by_query_head = [](const at::Tensor& x) {
        return x.to(at::kDouble).repeat_interleave(3, 1);
    };
    const at::Tensor scores =
        at::matmul(q.to(at::kDouble), by_query_head(k).transpose(2, 3)) / std::sqrt(8.0);
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
};

TEST_P(Attention, a_dense_pass_equals_the_definition) {
    for (const std::int64_t steps : {1, 2, 31, 127, 128, 129, 300})
        EXPECT_LT(error_of(GetParam(), 2, from(0, steps)), tolerance()) << steps;
}

TEST_P(Attention, queries_after_a_cached_prefix_see_all_of_it) {
    for (const std::int64_t steps : {1, 2, 130})
        EXPECT_LT(error_of(GetParam(), 1, from(77, steps)), tolerance()) << steps;
}

TEST_P(Attention, queries_with_gaps_see_the_entries_between_them) {
    EXPECT_LT(error_of(GetParam(), 2, {0, 9, 10, 11, 40, 41, 99}), tolerance());
}

TEST_P(Attention, works_inside_and_outside_inference_mode) {
    const c10::InferenceMode inference;
    EXPECT_LT(error_of(GetParam(), 2, from(3, 200)), tolerance());
}

TEST_P(Attention, the_differentiable_form_agrees) {
    at::manual_seed(12);
    const at::Tensor q = at::randn({2, 6, 40, 8}).to(GetParam());
    const at::Tensor k = at::randn({2, 2, 50, 8}).to(GetParam());
    const at::Tensor v = at::randn({2, 2, 50, 8}).to(GetParam());
    const std::vector<std::int64_t> positions = from(10, 40);
    const at::Tensor fast = attend(q, k, v, positions);
    const at::Tensor recorded = attend(q, k, v.clone().requires_grad_(true), positions);
    EXPECT_TRUE(recorded.requires_grad());
    EXPECT_LT((fast - recorded.detach()).abs().max().item<float>(), tolerance());
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Attention, testing::Values(at::kFloat, at::kBFloat16));

}  // namespace
}  // namespace mc::lm::test
