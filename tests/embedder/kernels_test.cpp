// SPDX-License-Identifier: Apache-2.0
// Every kernel against its plain form in double precision, at sizes that do not fit its tiles.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "core/rng.h"
#include "embedder/products.h"
#include "embedder/row_steps.h"
#include "embedder/text_attention.h"
#include "formats/half_float.h"

namespace mc::embedder {
namespace {

using Numbers = std::vector<float>;

Numbers random_numbers(std::size_t count, Rng& rng) {
    Numbers numbers(count);
    for (float& x : numbers) x = static_cast<float>(rng.below(20001)) * 1e-4F - 1.0F;
    return numbers;
}

double plain_gelu(double x) {
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

struct Sizes {
    std::int64_t count, rows, columns;
};

class Products : public testing::TestWithParam<NumberFormat> {
  protected:
    void SetUp() override {
        if (GetParam() == NumberFormat::kF16 && !has_f16_products())
            GTEST_SKIP() << "this processor has no AVX512_FP16";
    }

    // Rounding of the inputs and, in f16, of sums over stretches of columns.
    double tolerance(std::int64_t columns) const {
        return (GetParam() == NumberFormat::kF16 ? 4e-3 : 4e-6) *
               std::sqrt(static_cast<double>(columns));
    }

    float number_of(Element element) const {
        if (GetParam() == NumberFormat::kF32) return std::bit_cast<float>(element);
        EXPECT_EQ(element >> 16, element & 0xffffU) << "an f16 stands in both halves";
        return storage::half_to_float(static_cast<std::uint16_t>(element));
    }
};

TEST_P(Products, are_the_plain_sums) {
    Rng rng(5);
    for (const Sizes size : {Sizes{1, 1, 1}, Sizes{5, 64, 32}, Sizes{13, 80, 65}, Sizes{12, 64, 64},
                             Sizes{29, 200, 130}, Sizes{37, 384, 1536}}) {
        const Numbers weight =
            random_numbers(static_cast<std::size_t>(size.rows * size.columns), rng);
        const Numbers bias = random_numbers(static_cast<std::size_t>(size.rows), rng);
        const Numbers x = random_numbers(static_cast<std::size_t>(size.count * size.columns), rng);
        const PackedLinear linear(GetParam(), weight, bias);
        std::vector<Element> elements(x.size());
        to_elements(GetParam(), x.data(), static_cast<std::int64_t>(x.size()), elements.data());
        Numbers out(static_cast<std::size_t>(size.count * size.rows));
        Numbers sums(out.size(), 2.0F);
        std::vector<Element> inner(out.size());
        multiply(linear, elements.data(), size.count, out.data());
        multiply_add(linear, elements.data(), size.count, sums.data());
        multiply_gelu(linear, elements.data(), size.count, inner.data());
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t row = i / static_cast<std::size_t>(size.rows);
            const std::size_t n = i % static_cast<std::size_t>(size.rows);
            double plain = bias[n];
            for (std::size_t k = 0; k < static_cast<std::size_t>(size.columns); ++k)
                plain += double{x[row * static_cast<std::size_t>(size.columns) + k]} *
                         double{weight[n * static_cast<std::size_t>(size.columns) + k]};
            const double near = tolerance(size.columns);
            ASSERT_NEAR(out[i], plain, near) << size.rows << " × " << size.columns << ", " << i;
            ASSERT_NEAR(sums[i], plain + 2, near);
            ASSERT_NEAR(number_of(inner[i]), plain_gelu(plain),
                        1.2 * near + 1e-3 * std::abs(plain));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, Products, testing::Values(NumberFormat::kF32, NumberFormat::kF16),
                         [](const auto& chosen) {
                             return chosen.param == NumberFormat::kF32 ? "f32" : "f16";
                         });

TEST(RowSteps, gelu_is_that_of_the_error_function) {
    Numbers row;
    for (int i = -1000; i <= 1000; ++i) row.push_back(static_cast<float>(i) * 0.01F);
    const Numbers before = row;
    gelu(row.data(), static_cast<std::int64_t>(row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
        EXPECT_NEAR(row[i], plain_gelu(before[i]), 2e-6) << before[i];
}

TEST(RowSteps, a_normalised_row_has_the_weights_as_scale_and_the_bias_as_mean) {
    Rng rng(6);
    for (const std::size_t width : {1U, 7U, 32U, 383U, 384U}) {
        Numbers row = random_numbers(width, rng);
        const Numbers before = row;
        const Numbers weight = random_numbers(width, rng);
        const Numbers bias = random_numbers(width, rng);
        normalize_row(row.data(), weight.data(), bias.data(), static_cast<std::int64_t>(width),
                      1e-3F);
        double mean = 0;
        double square = 0;
        for (const float x : before) mean += x / static_cast<double>(width);
        for (const float x : before) square += (x - mean) * (x - mean) / static_cast<double>(width);
        for (std::size_t i = 0; i < width; ++i)
            ASSERT_NEAR(row[i], (before[i] - mean) / std::sqrt(square + 1e-3) * weight[i] + bias[i],
                        1e-5);
    }
}

// One head's output at one token.
double plain_attention(const Numbers& qkv, std::size_t length, std::size_t heads, std::size_t dim,
                       std::size_t token, std::size_t at) {
    const std::size_t width = heads * dim;
    const std::size_t head = at / dim * dim;
    double total = 0;
    double mixed = 0;
    for (std::size_t t = 0; t < length; ++t) {
        double score = 0;
        for (std::size_t d = 0; d < dim; ++d)
            score += double{qkv[token * 3 * width + head + d]} *
                     double{qkv[t * 3 * width + width + head + d]};
        const double weight = std::exp(score / std::sqrt(static_cast<double>(dim)));
        total += weight;
        mixed += weight * qkv[t * 3 * width + 2 * width + at];
    }
    return mixed / total;
}

TEST(TextAttention, weighs_values_by_the_softmax_of_the_scores) {
    Rng rng(7);
    AttentionRoom room;
    for (const std::size_t length : {1U, 2U, 6U, 15U, 16U, 17U, 50U})
        for (const auto& [heads, dim] : {std::pair<std::size_t, std::size_t>{1, 16}, {3, 32}}) {
            Numbers qkv = random_numbers(length * 3 * heads * dim, rng);
            for (float& x : qkv) x *= 3;  // scores that differ
            Numbers out(length * heads * dim);
            attend_text(qkv.data(), static_cast<std::int64_t>(length),
                        static_cast<std::int64_t>(heads), static_cast<std::int64_t>(dim), room,
                        out.data());
            for (std::size_t i = 0; i < out.size(); ++i)
                ASSERT_NEAR(
                    out[i],
                    plain_attention(qkv, length, heads, dim, i / (heads * dim), i % (heads * dim)),
                    1e-5)
                    << length;
        }
}

}  // namespace
}  // namespace mc::embedder
