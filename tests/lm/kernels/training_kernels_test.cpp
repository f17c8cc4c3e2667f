// SPDX-License-Identifier: Apache-2.0
// The backward kernels against differences of the forward formulas in f64, and the distillation
// loss against its definition.
#include "lm/kernels/training_kernels.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <numeric>

#include "tests/lm/kernels/plain_numbers.h"

namespace mc::lm::test {
namespace {

using Row = std::vector<double>;

// d(Σ weights × function(x)) / dx by central differences.
Row slope(const std::function<Row(const Row&)>& function, Row x, const Row& weights) {
    constexpr double kStep = 1e-5;
    const auto weighted = [&] {
        const Row y = function(x);
        return std::inner_product(y.begin(), y.end(), weights.begin(), 0.0);
    };
    Row out;
    for (double& number : x) {
        const double before = number;
        number = before + kStep;
        const double above = weighted();
        number = before - kStep;
        out.push_back((above - weighted()) / (2 * kStep));
        number = before;
    }
    return out;
}

Row softmax(const Row& scores, double scale) {
    Row out;
    for (const double score : scores) out.push_back(std::exp(scale * score));
    const double sum = std::accumulate(out.begin(), out.end(), 0.0);
    for (double& number : out) number /= sum;
    return out;
}

struct F32 {
    using T = float;
    static constexpr auto rms_norm_backward = rms_norm_backward_f32;
    static constexpr auto silu_mul_backward = silu_mul_backward_f32;
    static constexpr auto masked_softmax = masked_softmax_f32;
    static constexpr auto softmax_backward = softmax_backward_f32;
    static constexpr auto split_and_rotate = split_and_rotate_f32;
    static constexpr auto split_backward = split_backward_f32;
    static constexpr auto distillation = distillation_f32;
};

struct Bf16 {
    using T = Bf16Bits;
    static constexpr auto rms_norm_backward = rms_norm_backward_bf16;
    static constexpr auto silu_mul_backward = silu_mul_backward_bf16;
    static constexpr auto masked_softmax = masked_softmax_bf16;
    static constexpr auto softmax_backward = softmax_backward_bf16;
    static constexpr auto split_and_rotate = split_and_rotate_bf16;
    static constexpr auto split_backward = split_backward_bf16;
    static constexpr auto distillation = distillation_bf16;
};

template <class Kernels>
class TrainingKernels : public testing::Test {
  protected:
    RandomNumbers random_;
};

using Types = testing::Types<F32, Bf16>;
TYPED_TEST_SUITE(TrainingKernels, Types);

TYPED_TEST(TrainingKernels, norm_backward_is_the_slope_added_to_the_gradient) {
    using T = typename TypeParam::T;
    const std::int64_t width = 19;
    const auto residual = this->random_.template draw<float>(width);
    const auto weight = this->random_.template draw<float>(width, 0.5, 1.5);
    const auto output_gradient = this->random_.template draw<T>(width);
    auto gradient = this->random_.template draw<float>(width);
    const std::vector<float> before = gradient;
    std::vector<T> copy(gradient.size());
    TypeParam::rms_norm_backward({residual.data(), weight.data(), output_gradient.data(),
                                  gradient.data(), copy.data(), width, 1e-5F},
                                 0, 1);
    const auto norm = [&](const Row& x) {
        double square = 0;
        for (const double number : x) square += number * number / 19;
        Row y;
        for (std::size_t i = 0; i < x.size(); ++i)
            y.push_back(x[i] / std::sqrt(square + 1e-5) * value_of(weight[i]));
        return y;
    };
    const Row exact = slope(norm, values_of(residual), values_of(output_gradient));
    for (std::size_t i = 0; i < exact.size(); ++i) {
        EXPECT_NEAR(value_of(gradient[i]), value_of(before[i]) + exact[i], 1e-4);
        EXPECT_NEAR(value_of(copy[i]), value_of(gradient[i]), 4 * kTolerance<T>);
    }
}

TYPED_TEST(TrainingKernels, silu_backward_is_the_slope) {
    using T = typename TypeParam::T;
    const std::int64_t width = 21;
    const auto gate_up = this->random_.template draw<T>(2 * width, -4, 4);
    const auto output_gradient = this->random_.template draw<T>(width);
    std::vector<T> gradient(gate_up.size());
    TypeParam::silu_mul_backward({gate_up.data(), output_gradient.data(), gradient.data(), width},
                                 0, 1);
    const auto gated = [](const Row& x) {
        Row y;
        for (std::size_t i = 0; i < x.size() / 2; ++i)
            y.push_back(x[i] * sigmoid(x[i]) * x[x.size() / 2 + i]);
        return y;
    };
    const Row exact = slope(gated, values_of(gate_up), values_of(output_gradient));
    for (std::size_t i = 0; i < exact.size(); ++i)
        EXPECT_NEAR(value_of(gradient[i]), exact[i], 4 * kTolerance<T>);
}

TYPED_TEST(TrainingKernels, masked_softmax_is_over_the_columns_between_padding_and_query) {
    using T = typename TypeParam::T;
    const std::int64_t columns = 23;
    const std::vector<std::int64_t> last = {4, 22};  // of each query
    const std::vector<std::int64_t> first = {0, 3};  // of each batch row
    auto scores = this->random_.template draw<T>(4 * columns, -8, 8);
    const Row before = values_of(scores);
    TypeParam::masked_softmax(
        {scores.data(), last.data(), first.data(), nullptr, 2, 2, 2, columns, 0.5F}, 0, 4);
    for (std::size_t row = 0; row < 4; ++row) {
        const auto begin = static_cast<std::size_t>(first[row / 2]);
        const auto end = static_cast<std::size_t>(last[row % 2]) + 1;
        const auto at = static_cast<std::ptrdiff_t>(row * 23);
        const Row seen(before.begin() + at + static_cast<std::ptrdiff_t>(begin),
                       before.begin() + at + static_cast<std::ptrdiff_t>(end));
        const Row exact = softmax(seen, 0.5);
        for (std::size_t i = 0; i < 23; ++i) {
            const bool is_seen = i >= begin && i < end;
            EXPECT_NEAR(value_of(scores[row * 23 + i]), is_seen ? exact[i - begin] : 0,
                        kTolerance<T>)
                << "row " << row << ", column " << i;
        }
    }
}

TYPED_TEST(TrainingKernels, log_mass_is_added_to_the_scaled_scores_of_its_head) {
    using T = typename TypeParam::T;
    const std::int64_t columns = 23;
    const std::vector<std::int64_t> last = {22};
    const std::vector<std::int64_t> first = {2};
    auto scores = this->random_.template draw<T>(6 * columns, -8, 8);
    const Row before = values_of(scores);
    // Of three heads of one batch row, each with two rows.
    std::vector<float> log_mass = this->random_.template draw<float>(3 * columns, -4, 4);
    log_mass[5] = -std::numeric_limits<float>::infinity();
    TypeParam::masked_softmax(
        {scores.data(), last.data(), first.data(), log_mass.data(), 6, 2, 1, columns, 0.5F}, 0, 6);
    for (std::size_t row = 0; row < 6; ++row) {
        Row seen;
        for (std::size_t i = 2; i < 23; ++i)
            seen.push_back(before[row * 23 + i] * 0.5 + value_of(log_mass[row / 2 * 23 + i]));
        const Row exact = softmax(seen, 1);
        for (std::size_t i = 2; i < 23; ++i)
            EXPECT_NEAR(value_of(scores[row * 23 + i]), exact[i - 2], kTolerance<T>)
                << "row " << row << ", column " << i;
    }
}

TYPED_TEST(TrainingKernels, softmax_backward_is_the_slope) {
    using T = typename TypeParam::T;
    const std::int64_t columns = 17;
    const Row scores = values_of(this->random_.template draw<float>(columns, -4, 4));
    std::vector<T> probabilities;
    for (const double p : softmax(scores, 0.5)) probabilities.push_back(number_of<T>(p));
    auto gradient = this->random_.template draw<T>(columns);
    const auto forward = [](const Row& x) { return softmax(x, 0.5); };
    const Row exact = slope(forward, scores, values_of(gradient));
    TypeParam::softmax_backward({probabilities.data(), gradient.data(), columns, 0.5F}, 0, 1);
    for (std::size_t i = 0; i < exact.size(); ++i)
        EXPECT_NEAR(value_of(gradient[i]), exact[i], kTolerance<T>);
}

// The transpose of a linear map: <map(x), g> = <x, map_backward(g)>.
TYPED_TEST(TrainingKernels, split_backward_is_the_transpose_of_split_and_rotate) {
    using T = typename TypeParam::T;
    const std::int64_t steps = 3;
    const std::int64_t heads = 4;
    const std::int64_t kv_heads = 2;
    const std::int64_t dim = 6;
    const std::int64_t columns = 7;
    const auto draw = [&](std::int64_t count) { return this->random_.template draw<T>(count); };
    const auto x = draw(2 * steps * (heads + 2 * kv_heads) * dim);
    const auto cosines = this->random_.template draw<float>(columns * dim / 2);
    const auto sines = this->random_.template draw<float>(columns * dim / 2);
    const std::vector<std::int64_t> positions = {1, 4, 6};
    const std::int64_t cached = 2 * kv_heads * columns * dim;
    std::vector<T> queries(static_cast<std::size_t>(2 * heads * steps * dim));
    std::vector<T> keys(static_cast<std::size_t>(cached));
    std::vector<T> values(keys.size());
    TypeParam::split_and_rotate(
        {x.data(), cosines.data(), sines.data(), positions.data(), queries.data(), keys.data(),
         values.data(), steps, heads, kv_heads, dim, kv_heads * columns * dim, columns * dim},
        0, 2 * steps);
    const auto query_gradient = draw(2 * heads * steps * dim);
    const auto key_gradient = draw(cached);
    const auto value_gradient = draw(cached);
    std::vector<T> gradient(x.size());
    TypeParam::split_backward(
        {query_gradient.data(), key_gradient.data(), value_gradient.data(), cosines.data(),
         sines.data(), positions.data(), gradient.data(), steps, columns, heads, kv_heads, dim},
        0, 2 * steps);
    const auto dot = [](const std::vector<T>& a, const std::vector<T>& b) {
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += value_of(a[i]) * value_of(b[i]);
        return sum;
    };
    EXPECT_NEAR(
        dot(queries, query_gradient) + dot(keys, key_gradient) + dot(values, value_gradient),
        dot(x, gradient), 30 * kTolerance<T>);
}

TYPED_TEST(TrainingKernels, distillation_is_divergence_and_likelihood_with_their_slope) {
    using T = typename TypeParam::T;
    const std::int64_t vocabulary = 41;
    auto logits = this->random_.template draw<T>(vocabulary, -3, 3);
    const Row before = values_of(logits);
    const std::vector<std::int64_t> top = {7, 0, 40};
    const std::vector<float> teacher = {0.5F, 0.2F, 0.1F};
    const std::int64_t target = 7;
    const float row_scale = 1;
    float divergence = 0;
    float nll = 0;
    TypeParam::distillation({logits.data(), top.data(), teacher.data(), &target, &divergence, &nll,
                             vocabulary, 3, 0.75F, &row_scale},
                            0, 1);
    const auto losses = [&](const Row& x) {
        const Row p = softmax(x, 1);
        double rest = 1;
        double kl = 0;
        for (std::size_t i = 0; i < top.size(); ++i) {
            const double student = p[static_cast<std::size_t>(top[i])];
            const double q = value_of(teacher[i]);
            kl += q * std::log(q / student);
            rest -= student;
        }
        kl += 0.2 * std::log(0.2 / rest);
        return Row{kl, -std::log(p[static_cast<std::size_t>(target)])};
    };
    EXPECT_NEAR(divergence, losses(before)[0], 1e-4);
    EXPECT_NEAR(nll, losses(before)[1], 1e-4);
    const Row exact = slope(losses, before, {0.75, 0.25});
    for (std::size_t i = 0; i < exact.size(); ++i)
        EXPECT_NEAR(value_of(logits[i]), exact[i], kTolerance<T>);
}

}  // namespace
}  // namespace mc::lm::test
