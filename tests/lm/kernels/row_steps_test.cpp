// SPDX-License-Identifier: Apache-2.0
// One token's steps between the products (norm, gate, rotation, attention) against their
// definitions in f64.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "lm/kernels/panel_kernels.h"
#include "lm/kernels/row_kernels.h"
#include "tests/lm/kernels/plain_numbers.h"

namespace mc::lm::test {
namespace {

class RowSteps : public testing::Test {
  protected:
    void SetUp() override {
        if (!has_panel_kernels()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    }

    RandomNumbers random_;
};

TEST_F(RowSteps, a_row_is_added_to_the_residual_and_normalised) {
    const auto before = random_.draw<float>(64);
    const auto delta = random_.draw<float>(64);
    const auto weight = random_.draw<float>(64, 0.5, 1.5);
    std::vector<float> residual = before;
    std::vector<Bf16Bits> x(64);
    normalize_row(residual.data(), delta.data(), weight.data(), 1e-5F, 64, x.data());
    double square = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        EXPECT_NEAR(residual[i], value_of(before[i]) + value_of(delta[i]), 1e-6);
        square += value_of(residual[i]) * value_of(residual[i]) / 64;
    }
    for (std::size_t i = 0; i < 64; ++i)
        EXPECT_NEAR(value_of(x[i]),
                    value_of(residual[i]) / std::sqrt(square + 1e-5) * value_of(weight[i]), 0.02);
    std::vector<float> alone = before;
    normalize_row(alone.data(), nullptr, weight.data(), 1e-5F, 64, x.data());
    EXPECT_EQ(alone, before);
}

TEST_F(RowSteps, a_gated_row_is_silu_of_the_gate_times_up) {
    const auto gate = random_.draw<float>(48, -6, 6);
    const auto up = random_.draw<float>(48);
    std::vector<Bf16Bits> x(48);
    gate_row(gate.data(), up.data(), 48, x.data());
    for (std::size_t i = 0; i < 48; ++i)
        EXPECT_NEAR(value_of(x[i]),
                    value_of(gate[i]) * sigmoid(value_of(gate[i])) * value_of(up[i]), 0.03);
}

TEST_F(RowSteps, rounding_goes_to_the_nearest_number) {
    const auto row = random_.draw<float>(48);
    std::vector<Bf16Bits> rounded(48);
    round_row(row.data(), 48, rounded.data());
    for (std::size_t i = 0; i < 48; ++i)
        EXPECT_LE(std::abs(value_of(rounded[i]) - value_of(row[i])),
                  std::abs(value_of(row[i])) / 256);
}

TEST_F(RowSteps, a_row_turns_in_pairs) {
    const auto from = random_.draw<float>(64);
    const auto cosines = random_.draw<float>(32);
    const auto sines = random_.draw<float>(32);
    std::vector<Bf16Bits> to(64);
    rotate_row(from.data(), cosines.data(), sines.data(), 64, to.data());
    for (std::size_t pair = 0; pair < 32; ++pair) {
        const double x = value_of(from[2 * pair]);
        const double y = value_of(from[2 * pair + 1]);
        const double c = value_of(cosines[pair]);
        const double s = value_of(sines[pair]);
        EXPECT_NEAR(value_of(to[2 * pair]), x * c - y * s, 0.01);
        EXPECT_NEAR(value_of(to[2 * pair + 1]), y * c + x * s, 0.01);
    }
}

// Softmax over parts of the keys, joined, is softmax over all of them.
TEST_F(RowSteps, attention_in_parts_is_attention_to_all_keys) {
    const std::size_t heads = 3;
    const std::size_t dim = 64;
    const std::vector<std::int64_t> counts = {1, 40, 17};  // keys of each part
    const auto queries = random_.draw<Bf16Bits>(3 * 64);
    const auto keys = random_.draw<Bf16Bits>(58 * 64);
    const auto values = random_.draw<Bf16Bits>(58 * 64);
    for (const bool has_mass : {false, true}) {
        // One part has no key that is seen.
        std::vector<float> log_mass = random_.draw<float>(58);
        log_mass[0] = log_mass[50] = -std::numeric_limits<float>::infinity();
        std::vector<float> tops(3 * heads);
        std::vector<float> sums(3 * heads);
        std::vector<float> partial(3 * heads * dim);
        std::int64_t first = 0;
        for (std::size_t part = 0; part < 3; ++part) {
            std::vector<float> scores(heads * static_cast<std::size_t>(counts[part]));
            attend_row(queries.data(), 3, keys.data() + first * 64, values.data() + first * 64,
                       has_mass ? log_mass.data() + first : nullptr, counts[part], 64,
                       scores.data(),
                       {&tops[part * heads], &sums[part * heads], &partial[part * heads * dim]});
            first += counts[part];
        }
        for (std::size_t head = 0; head < heads; ++head) {
            std::vector<Bf16Bits> out(dim);
            join_attention({tops.data(), sums.data(), partial.data()},
                           static_cast<std::int64_t>(head), 3, 3, 64, out.data());
            std::vector<double> exact(dim);
            double sum = 0;
            for (std::size_t key = 0; key < 58; ++key) {
                double score = 0;
                for (std::size_t i = 0; i < dim; ++i)
                    score += value_of(queries[head * dim + i]) * value_of(keys[key * dim + i]);
                // attend_row scales by 1 / sqrt(dim).
                const double weight =
                    std::exp(score / 8 + (has_mass ? value_of(log_mass[key]) : 0.0));
                sum += weight;
                for (std::size_t i = 0; i < dim; ++i)
                    exact[i] += weight * value_of(values[key * dim + i]);
            }
            for (std::size_t i = 0; i < dim; ++i)
                EXPECT_NEAR(value_of(out[i]), exact[i] / sum, 0.01) << head << " " << i;
        }
    }
}

}  // namespace
}  // namespace mc::lm::test
