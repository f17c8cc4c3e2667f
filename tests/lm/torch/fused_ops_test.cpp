// SPDX-License-Identifier: Apache-2.0
// The CPU loops against the plain ATen formulas. A tensor that records gradients takes the ATen
// path.
#include "lm/torch/fused_ops.h"

#include <gtest/gtest.h>

namespace mc::lm::test {
namespace {

class FusedOps : public testing::TestWithParam<at::ScalarType> {
  protected:
    void SetUp() override { at::manual_seed(5); }

    at::Tensor random(at::IntArrayRef sizes, double scale = 1.0) const {
        return (at::randn(sizes) * scale).to(GetParam());
    }

    // bf16 keeps 8 bits; both forms round once from f32.
    double tolerance() const { return GetParam() == at::kBFloat16 ? 1.0 / 128 : 2e-6; }

    void expect_close(const at::Tensor& a, const at::Tensor& b) const {
        ASSERT_EQ(a.sizes(), b.sizes());
        ASSERT_EQ(a.scalar_type(), b.scalar_type());
        EXPECT_TRUE(at::allclose(a.to(at::kFloat), b.to(at::kFloat), tolerance(), 1e-5))
            << (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<float>();
    }
};

TEST_P(FusedOps, add_rms_norm_agrees_with_the_plain_form) {
    for (const std::int64_t width : {2, 31, 576}) {
        at::Tensor residual = at::randn({37, width}) * 3;
        const at::Tensor before = residual.clone();
        const at::Tensor weight = at::randn({width});
        const at::Tensor delta = random({37, width});
        const at::Tensor fast = add_rms_norm(residual, delta, weight, 1e-5, GetParam());
        at::Tensor recorded = before.clone().requires_grad_(true);
        const at::Tensor plain = add_rms_norm(recorded, delta, weight, 1e-5, GetParam());
        expect_close(fast, plain.detach());
        EXPECT_TRUE(at::allclose(residual, before + delta.to(at::kFloat), 1e-6, 1e-6));
        EXPECT_TRUE(at::allclose(residual, recorded.detach(), 1e-6, 1e-6));
    }
}

TEST_P(FusedOps, add_rms_norm_without_delta_leaves_the_residual) {
    at::Tensor residual = at::randn({5, 64});
    const at::Tensor before = residual.clone();
    add_rms_norm(residual, {}, at::ones({64}), 1e-5, GetParam());
    EXPECT_TRUE(at::equal(residual, before));
}

TEST_P(FusedOps, silu_mul_agrees_with_the_plain_form_also_for_large_values) {
    const at::Tensor x = random({19, 2 * 77}, 20.0);
    x.select(0, 0).fill_(-1000.0);
    x.select(0, 1).fill_(1000.0);
    const at::Tensor gate = x.to(at::kFloat).narrow(1, 0, 77);
    const at::Tensor up = x.to(at::kFloat).narrow(1, 77, 77);
    expect_close(silu_mul(x), (gate * at::sigmoid(gate) * up).to(GetParam()));
}

TEST_P(FusedOps, split_and_rotate_agrees_with_the_plain_form) {
    constexpr std::int64_t kDim = 16;
    const at::Tensor angles = at::rand({50, kDim / 2}) * 6;
    const RopeTable rope{angles.cos(), angles.sin()};
    const at::Tensor positions = at::tensor({3, 4, 9, 40, 41}, at::kLong);
    const at::Tensor qkv = random({2, 5, (6 + 2 * 2) * kDim});
    const auto cache = [&] { return at::zeros({2, 2, 50, kDim}, GetParam()); };
    at::Tensor keys = cache();
    at::Tensor values = cache();
    const at::Tensor queries = split_and_rotate(qkv, rope, positions, keys, values);
    at::Tensor plain_keys = cache();
    at::Tensor plain_values = cache();
    const at::Tensor recorded = qkv.clone().requires_grad_(true);
    const at::Tensor plain = split_and_rotate(recorded, rope, positions, plain_keys, plain_values);
    expect_close(queries, plain.detach());
    expect_close(keys, plain_keys.detach());
    EXPECT_TRUE(at::equal(values, plain_values.detach()));
}

TEST_P(FusedOps, reduce_logits_agrees_with_logsumexp_and_entropy) {
    const at::Tensor logits = random({11, 1003}, 8.0);
    const LogitReduction reduced = reduce_logits(logits, true);
    const at::Tensor x = logits.to(at::kDouble);
    const at::Tensor log_p = at::log_softmax(x, -1);
    EXPECT_TRUE(
        at::allclose(reduced.log_sum_exp.to(at::kDouble), at::logsumexp(x, -1), 1e-6, 1e-5));
    EXPECT_TRUE(
        at::allclose(reduced.entropy.to(at::kDouble), -(log_p.exp() * log_p).sum(-1), 1e-5, 1e-5));
    EXPECT_FALSE(reduce_logits(logits, false).entropy.defined());
}

TEST_P(FusedOps, precise_product_keeps_f32) {
    const at::Tensor x = random({3, 64});
    const at::Tensor weight = random({5000, 64});
    const at::Tensor product = precise_product(x, weight);
    EXPECT_EQ(product.scalar_type(), at::kFloat);
    const at::Tensor expected = at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t());
    EXPECT_LT((product.to(at::kDouble) - expected).abs().max().item<double>(), 1e-4);
}

TEST(FusedOpsGradient, a_gradient_reaches_the_input_through_every_step) {
    at::manual_seed(6);
    const at::Tensor input = at::randn({4, 32}).requires_grad_(true);
    at::Tensor residual = input;
    const at::Tensor x = add_rms_norm(residual, {}, at::ones({32}), 1e-5, at::kFloat);
    silu_mul(x).sum().backward();
    ASSERT_TRUE(input.grad().defined());
    EXPECT_GT(input.grad().abs().sum().item<float>(), 0.0F);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, FusedOps, testing::Values(at::kFloat, at::kBFloat16));

}  // namespace
}  // namespace mc::lm::test
