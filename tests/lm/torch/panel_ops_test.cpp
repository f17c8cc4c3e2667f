// SPDX-License-Identifier: Apache-2.0
// Products with packed weights against the plain ones, which weights without panels select.
#include "lm/torch/panel_ops.h"

#include <gtest/gtest.h>

#include "lm/kernels/panel_kernels.h"

namespace mc::lm::test {
namespace {

struct Shape {
    std::int64_t rows;     // of x
    std::int64_t columns;  // of x and of the weight
    std::int64_t outputs;  // rows of the weight
};

// Every remainder of a tile's twelve rows, one panel pair and several, narrow and deep.
const Shape kShapes[] = {{1, 2, 32},    {2, 64, 64},   {5, 34, 32},   {11, 576, 96},   {12, 32, 32},
                         {13, 100, 64}, {47, 128, 32}, {96, 66, 160}, {200, 1536, 576}};

at::Tensor random(std::int64_t rows, std::int64_t columns) {
    return at::randn({rows, columns}).to(at::kBFloat16);
}

// bf16 keeps 8 bits: relative to the size of the sums.
void expect_near(const at::Tensor& fast, const at::Tensor& exact, const Shape& shape) {
    ASSERT_EQ(fast.sizes(), exact.sizes());
    const double error = (fast.to(at::kDouble) - exact).abs().max().item<double>();
    EXPECT_LT(error, 0.01 * exact.abs().max().item<double>() + 1e-6)
        << shape.rows << " x " << shape.columns << " x " << shape.outputs;
}

class PanelOps : public testing::Test {
  protected:
    void SetUp() override {
        if (!has_panel_kernels()) GTEST_SKIP() << "this processor has no AVX512_BF16";
        at::manual_seed(3);
    }
};

TEST_F(PanelOps, a_product_is_the_matrix_product) {
    for (const Shape& shape : kShapes) {
        const at::Tensor x = random(shape.rows, shape.columns);
        const at::Tensor weight = random(shape.outputs, shape.columns);
        expect_near(product(x, weight, pack_weight(weight)),
                    at::linear(x.to(at::kDouble), weight.to(at::kDouble)), shape);
    }
}

TEST_F(PanelOps, a_product_onto_the_residual_adds_in_f32) {
    for (const Shape& shape : kShapes) {
        const at::Tensor x = random(shape.rows, shape.columns);
        const at::Tensor weight = random(shape.outputs, shape.columns);
        const at::Tensor residual = at::randn({shape.rows, shape.outputs});
        const at::Tensor exact =
            residual.to(at::kDouble) + at::linear(x.to(at::kDouble), weight.to(at::kDouble));
        EXPECT_FALSE(product_onto(residual, x, weight, pack_weight(weight)).defined());
        EXPECT_LT((residual - exact).abs().max().item<double>(), 1e-3) << shape.columns;
    }
}

TEST_F(PanelOps, a_gated_product_is_silu_of_one_half_times_the_other) {
    for (const Shape& shape : kShapes) {
        const at::Tensor x = random(shape.rows, shape.columns);
        const at::Tensor weight = random(shape.outputs, shape.columns);
        const at::Tensor both = at::linear(x.to(at::kDouble), weight.to(at::kDouble));
        const std::int64_t half = shape.outputs / 2;
        expect_near(gated_product(x, weight, pack_weight(weight)),
                    at::silu(both.narrow(1, 0, half)) * both.narrow(1, half, half), shape);
    }
}

TEST_F(PanelOps, what_has_no_panels_takes_the_plain_path) {
    EXPECT_FALSE(pack_weight(random(33, 64)).defined());
    EXPECT_FALSE(pack_weight(random(32, 63)).defined());
    EXPECT_FALSE(pack_weight(at::randn({32, 64})).defined());
    const at::Tensor x = random(4, 64).requires_grad_(true);
    const at::Tensor weight = random(32, 64);
    EXPECT_TRUE(product(x, weight, pack_weight(weight)).requires_grad());
    EXPECT_TRUE(gated_product(x, weight, pack_weight(weight)).requires_grad());
    const at::Tensor residual = at::zeros({4, 32});
    EXPECT_TRUE(product_onto(residual, x, weight, pack_weight(weight)).requires_grad());
}

}  // namespace
}  // namespace mc::lm::test
