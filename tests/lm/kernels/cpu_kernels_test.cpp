// SPDX-License-Identifier: Apache-2.0
// The element-wise kernels against their definitions in f64, for f32 and bf16 rows.
#include "lm/kernels/cpu_kernels.h"

#include <gtest/gtest.h>

#include "tests/lm/kernels/plain_numbers.h"

namespace mc::lm::test {
namespace {

struct F32 {
    using T = float;
    static constexpr auto add_rms_norm = add_rms_norm_f32;
    static constexpr auto silu_mul = silu_mul_f32;
    static constexpr auto split_and_rotate = split_and_rotate_f32;
    static constexpr auto reduce_logits = reduce_logits_f32;
};

struct Bf16 {
    using T = Bf16Bits;
    static constexpr auto add_rms_norm = add_rms_norm_bf16;
    static constexpr auto silu_mul = silu_mul_bf16;
    static constexpr auto split_and_rotate = split_and_rotate_bf16;
    static constexpr auto reduce_logits = reduce_logits_bf16;
};

template <class Kernels>
class CpuKernels : public testing::Test {
  protected:
    RandomNumbers random_;
};

using Types = testing::Types<F32, Bf16>;
TYPED_TEST_SUITE(CpuKernels, Types);

// 19 columns: no multiple of any vector.
TYPED_TEST(CpuKernels, add_rms_norm_adds_and_scales_to_unit_mean_square) {
    using T = typename TypeParam::T;
    const std::int64_t rows = 3;
    const std::int64_t width = 19;
    auto residual = this->random_.template draw<float>(rows * width);
    const auto delta = this->random_.template draw<T>(rows * width);
    const auto weight = this->random_.template draw<float>(width, 0.5, 1.5);
    const std::vector<float> before = residual;
    std::vector<T> out(residual.size());
    TypeParam::add_rms_norm(
        {residual.data(), delta.data(), weight.data(), out.data(), width, 1e-5F}, 0, rows);
    for (std::size_t row = 0; row < 3; ++row) {
        double square = 0;
        std::vector<double> sums;
        for (std::size_t i = row * 19; i < (row + 1) * 19; ++i) {
            sums.push_back(value_of(before[i]) + value_of(delta[i]));
            square += sums.back() * sums.back() / 19;
            EXPECT_NEAR(value_of(residual[i]), sums.back(), 1e-6);
        }
        for (std::size_t i = 0; i < 19; ++i)
            EXPECT_NEAR(value_of(out[row * 19 + i]),
                        sums[i] / std::sqrt(square + 1e-5) * value_of(weight[i]),
                        2 * kTolerance<T>);
    }
}

TYPED_TEST(CpuKernels, add_rms_norm_without_a_delta_leaves_the_residual) {
    using T = typename TypeParam::T;
    auto residual = this->random_.template draw<float>(5);
    const std::vector<float> before = residual;
    const std::vector<float> weight(5, 1);
    std::vector<T> out(5);
    TypeParam::add_rms_norm({residual.data(), nullptr, weight.data(), out.data(), 5, 1e-5F}, 0, 1);
    EXPECT_EQ(residual, before);
}

TYPED_TEST(CpuKernels, silu_mul_is_the_gate_times_its_sigmoid_times_up_also_for_large_gates) {
    using T = typename TypeParam::T;
    const std::int64_t rows = 2;
    const std::int64_t width = 21;
    auto gate_up = this->random_.template draw<T>(rows * 2 * width);
    gate_up[0] = number_of<T>(100);
    gate_up[1] = number_of<T>(-100);
    std::vector<T> out(2 * 21);
    TypeParam::silu_mul({gate_up.data(), out.data(), width}, 0, rows);
    for (std::size_t row = 0; row < 2; ++row)
        for (std::size_t i = 0; i < 21; ++i) {
            const double gate = value_of(gate_up[row * 42 + i]);
            const double up = value_of(gate_up[row * 42 + 21 + i]);
            const double exact = gate * sigmoid(gate) * up;
            EXPECT_NEAR(value_of(out[row * 21 + i]), exact,
                        kTolerance<T> * std::max(1.0, std::abs(exact)));
        }
}

TYPED_TEST(CpuKernels, split_and_rotate_turns_queries_and_keys_and_copies_values) {
    using T = typename TypeParam::T;
    const std::int64_t steps = 3;
    const std::int64_t heads = 4;
    const std::int64_t kv_heads = 2;
    const std::int64_t dim = 6;
    const std::int64_t capacity = 7;
    const auto qkv = this->random_.template draw<T>(2 * steps * (heads + 2 * kv_heads) * dim);
    const auto cosines = this->random_.template draw<float>(capacity * dim / 2);
    const auto sines = this->random_.template draw<float>(capacity * dim / 2);
    const std::vector<std::int64_t> positions = {1, 4, 6};
    std::vector<T> queries(static_cast<std::size_t>(2 * heads * steps * dim));
    std::vector<T> keys(static_cast<std::size_t>(2 * kv_heads * capacity * dim));
    std::vector<T> values(keys.size());
    TypeParam::split_and_rotate(
        {qkv.data(), cosines.data(), sines.data(), positions.data(), queries.data(), keys.data(),
         values.data(), steps, heads, kv_heads, dim, kv_heads * capacity * dim, capacity * dim},
        0, 2 * steps);
    // Number i of head h of the projection of step t of a batch row, turned or not.
    const auto projected = [&](std::int64_t batch, std::int64_t t, std::int64_t h, std::int64_t i) {
        return value_of(qkv[static_cast<std::size_t>(
            ((batch * steps + t) * (heads + 2 * kv_heads) + h) * dim + i)]);
    };
    const auto turned = [&](std::int64_t batch, std::int64_t t, std::int64_t h, std::int64_t i) {
        const auto angle =
            static_cast<std::size_t>(positions[static_cast<std::size_t>(t)] * dim / 2 + i / 2);
        const double other = projected(batch, t, h, i ^ 1);
        return projected(batch, t, h, i) * value_of(cosines[angle]) +
               (i % 2 == 0 ? -other : other) * value_of(sines[angle]);
    };
    for (std::int64_t b = 0; b < 2; ++b)
        for (std::int64_t t = 0; t < steps; ++t)
            for (std::int64_t i = 0; i < dim; ++i) {
                for (std::int64_t h = 0; h < heads; ++h)
                    EXPECT_NEAR(value_of(queries[static_cast<std::size_t>(
                                    ((b * heads + h) * steps + t) * dim + i)]),
                                turned(b, t, h, i), 2 * kTolerance<T>);
                for (std::int64_t h = 0; h < kv_heads; ++h) {
                    const auto at = static_cast<std::size_t>(
                        ((b * kv_heads + h) * capacity + positions[static_cast<std::size_t>(t)]) *
                            dim +
                        i);
                    EXPECT_NEAR(value_of(keys[at]), turned(b, t, heads + h, i), 2 * kTolerance<T>);
                    EXPECT_EQ(value_of(values[at]), projected(b, t, heads + kv_heads + h, i));
                }
            }
}

TYPED_TEST(CpuKernels, reduce_logits_gives_log_sum_exp_and_entropy) {
    using T = typename TypeParam::T;
    const std::int64_t width = 37;
    const auto logits = this->random_.template draw<T>(2 * width, -20, 20);
    std::vector<float> sums(2);
    std::vector<float> entropies(2);
    TypeParam::reduce_logits({logits.data(), sums.data(), entropies.data(), width}, 0, 2);
    for (std::size_t row = 0; row < 2; ++row) {
        double sum = 0;
        for (std::size_t i = 0; i < 37; ++i) sum += std::exp(value_of(logits[row * 37 + i]));
        double entropy = 0;
        for (std::size_t i = 0; i < 37; ++i) {
            const double log_p = value_of(logits[row * 37 + i]) - std::log(sum);
            entropy -= std::exp(log_p) * log_p;
        }
        EXPECT_NEAR(sums[row], std::log(sum), 1e-4);
        EXPECT_NEAR(entropies[row], entropy, 1e-4);
    }
}

TEST(RowProductsBf16, are_the_sums_of_products) {
    RandomNumbers random;
    const auto weights = random.draw<Bf16Bits>(3 * 45);
    const auto x = random.draw<float>(45);
    std::vector<float> out(3);
    row_products_bf16(weights.data(), x.data(), out.data(), 45, 0, 3);
    for (std::size_t n = 0; n < 3; ++n) {
        double exact = 0;
        for (std::size_t k = 0; k < 45; ++k)
            exact += value_of(weights[n * 45 + k]) * value_of(x[k]);
        EXPECT_NEAR(out[n], exact, 1e-5);
    }
}

}  // namespace
}  // namespace mc::lm::test
