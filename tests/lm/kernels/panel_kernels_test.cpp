// SPDX-License-Identifier: Apache-2.0
// Products with packed weights, and attention in tiles, against their definitions in f64.
#include "lm/kernels/panel_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/kernels/attention_kernels.h"
#include "tests/lm/kernels/plain_numbers.h"

namespace mc::lm::test {
namespace {

class PanelKernels : public testing::Test {
  protected:
    void SetUp() override {
        if (!has_panel_kernels()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    }

    RandomNumbers random_;
};

struct Shape {
    std::int64_t rows;     // of x
    std::int64_t columns;  // of x and of the weight
    std::int64_t panels;   // of 16 rows of the weight
};

// Remainders of tiles of 12 rows, of 16 and of 32 (where columns are a multiple of 32, for AMX),
// one panel pair and several, narrow and deep.
const Shape kShapes[] = {{1, 2, 2},   {2, 64, 4},   {5, 34, 2},  {11, 66, 6},
                         {12, 32, 2}, {13, 100, 4}, {30, 70, 2}, {16, 64, 2},
                         {17, 96, 4}, {33, 64, 2},  {49, 32, 6}, {64, 160, 2}};

struct Problem {
    Problem(const Shape& of, RandomNumbers& random)
        : shape(of),
          x(random.draw<Bf16Bits>(of.rows * of.columns)),
          weights(random.draw<Bf16Bits>(of.panels * kPanelRows * of.columns)),
          panels(weights.size()) {
        pack_panels(weights.data(), shape.panels, shape.columns, panels.data());
    }

    PanelRows into(void* out, std::int64_t stride) const {
        return {x.data(), panels.data(), out, shape.columns, shape.panels, stride};
    }

    // Row `row` of x · row `output` of the weight.
    double exact(std::int64_t row, std::int64_t output) const {
        double sum = 0;
        for (std::int64_t k = 0; k < shape.columns; ++k)
            sum += value_of(x[static_cast<std::size_t>(row * shape.columns + k)]) *
                   value_of(weights[static_cast<std::size_t>(output * shape.columns + k)]);
        return sum;
    }

    std::int64_t outputs() const { return shape.panels * kPanelRows; }

    Shape shape;
    std::vector<Bf16Bits> x;
    std::vector<Bf16Bits> weights;
    std::vector<Bf16Bits> panels;
};

TEST_F(PanelKernels, a_product_is_the_matrix_product_in_any_parts) {
    for (const Shape& shape : kShapes) {
        const Problem problem(shape, random_);
        std::vector<Bf16Bits> out(static_cast<std::size_t>(shape.rows * problem.outputs()));
        const PanelRows into = problem.into(out.data(), problem.outputs());
        const std::int64_t half = shape.rows / 2;
        panel_product(into, 0, half, 0, shape.panels / 2);
        panel_product(into, half, shape.rows, 0, 1);
        panel_product(into, half, shape.rows, 1, shape.panels / 2);
        for (std::int64_t row = 0; row < shape.rows; ++row)
            for (std::int64_t n = 0; n < problem.outputs(); ++n)
                EXPECT_NEAR(value_of(out[static_cast<std::size_t>(row * problem.outputs() + n)]),
                            problem.exact(row, n), 0.05)
                    << shape.rows << " x " << shape.columns;
    }
}

TEST_F(PanelKernels, a_row_does_not_depend_on_how_many_are_read_with_it) {
    const Problem problem({40, 96, 2}, random_);
    const std::int64_t width = problem.outputs();
    std::vector<float> together(static_cast<std::size_t>(40 * width));
    std::vector<float> apart(together.size());
    panel_product_add(problem.into(together.data(), width), 0, 40, 0, 1);
    for (std::int64_t row = 0; row < 40; ++row)
        panel_product_add(problem.into(apart.data(), width), row, row + 1, 0, 1);
    EXPECT_EQ(together, apart);
}

TEST_F(PanelKernels, a_product_is_added_in_f32) {
    for (const Shape& shape : kShapes) {
        const Problem problem(shape, random_);
        std::vector<float> out = random_.draw<float>(shape.rows * problem.outputs());
        const std::vector<float> before = out;
        panel_product_add(problem.into(out.data(), problem.outputs()), 0, shape.rows, 0,
                          shape.panels / 2);
        for (std::int64_t row = 0; row < shape.rows; ++row)
            for (std::int64_t n = 0; n < problem.outputs(); ++n) {
                const auto at = static_cast<std::size_t>(row * problem.outputs() + n);
                EXPECT_NEAR(value_of(out[at]), value_of(before[at]) + problem.exact(row, n), 1e-3);
            }
    }
}

TEST_F(PanelKernels, a_gated_product_is_silu_of_one_half_times_the_other) {
    for (const Shape& shape : kShapes) {
        const Problem problem(shape, random_);
        const std::int64_t width = problem.outputs() / 2;
        std::vector<Bf16Bits> out(static_cast<std::size_t>(shape.rows * width));
        panel_product_silu(problem.into(out.data(), width), 0, shape.rows, 0, shape.panels / 2);
        for (std::int64_t row = 0; row < shape.rows; ++row)
            for (std::int64_t n = 0; n < width; ++n) {
                const double gate = problem.exact(row, n);
                const double exact = gate * sigmoid(gate) * problem.exact(row, width + n);
                EXPECT_NEAR(value_of(out[static_cast<std::size_t>(row * width + n)]), exact,
                            0.01 * std::abs(exact) + 0.01);
            }
    }
}

// Attention of every head's queries over the keys at or before their positions, in f64.
struct Attention {
    std::vector<Bf16Bits> queries;  // (heads, steps, dim)
    std::vector<Bf16Bits> keys;     // (key_count, dim)
    std::vector<Bf16Bits> values;
    std::vector<std::int64_t> positions;
    std::int64_t heads;
    std::int64_t dim;
    std::vector<float> log_mass;  // (key_count), or empty

    std::vector<double> exact(std::size_t head, std::size_t step) const {
        const auto width = static_cast<std::size_t>(dim);
        const Bf16Bits* query = &queries[(head * positions.size() + step) * width];
        std::vector<double> scores;
        for (std::size_t key = 0; key <= static_cast<std::size_t>(positions[step]); ++key) {
            double score = 0;
            for (std::size_t i = 0; i < width; ++i)
                score += value_of(query[i]) * value_of(keys[key * width + i]);
            const float mass = log_mass.empty() ? 0.0F : log_mass[key];
            scores.push_back(score / std::sqrt(static_cast<double>(dim)) +
                             static_cast<double>(mass));
        }
        const double top = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        std::vector<double> out(width);
        for (std::size_t key = 0; key < scores.size(); ++key) {
            const double weight = std::exp(scores[key] - top);
            sum += weight;
            for (std::size_t i = 0; i < width; ++i)
                out[i] += weight * value_of(values[key * width + i]);
        }
        for (double& number : out) number /= sum;
        return out;
    }
};

// Of every key but the first, in steps; most are 0, as in a window of few gists, some are minus
// infinity.
std::vector<float> draw_log_mass(std::int64_t key_count, RandomNumbers& random) {
    std::vector<float> out = random.draw<float>(key_count, -40, 40);
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = i % 3 == 0 ? 0.0F : std::round(out[i]) / 8;
        if (i % 7 == 1) out[i] = -std::numeric_limits<float>::infinity();
    }
    return out;
}

// Key counts on either side of a group of 32 and of a pass of 512; one with gaps between queries.
// Keys with a log-mass and keys without.
TEST_F(PanelKernels, attention_in_tiles_is_softmax_over_the_keys_before_each_query) {
    const std::int64_t dim = 64;
    const std::vector<std::vector<std::int64_t>> places = {
        {0}, {0, 1, 2}, {3, 9, 31}, {30, 31, 32, 33, 40}, {500, 511, 512, 513, 600}};
    for (std::size_t turn = 0; turn < 2 * places.size(); ++turn) {
        const std::vector<std::int64_t>& positions = places[turn / 2];
        const std::int64_t key_count = positions.back() + 1;
        const auto steps = static_cast<std::int64_t>(positions.size());
        const Attention attention{
            random_.draw<Bf16Bits>(3 * steps * dim, -3, 3),
            random_.draw<Bf16Bits>(key_count * dim, -3, 3),
            random_.draw<Bf16Bits>(key_count * dim),
            positions,
            3,
            dim,
            turn % 2 == 0 ? std::vector<float>() : draw_log_mass(key_count, random_)};
        const std::int64_t groups = (key_count + kKeysPerGroup - 1) / kKeysPerGroup;
        const auto panel_size = static_cast<std::size_t>(groups * kKeysPerGroup * dim);
        std::vector<Bf16Bits> keys(panel_size);
        std::vector<Bf16Bits> values(panel_size);
        const HeadPanels panels{keys.data(), values.data()};
        pack_head(attention.keys.data(), attention.values.data(), key_count, dim, panels, 0,
                  groups);
        std::vector<Bf16Bits> out(static_cast<std::size_t>(steps * 3 * dim));
        const AttentionTile tile{attention.queries.data(),
                                 positions.data(),
                                 panels,
                                 attention.log_mass.empty() ? nullptr : attention.log_mass.data(),
                                 out.data(),
                                 steps,
                                 3,
                                 dim,
                                 3 * dim,
                                 0.125F};
        attend_tile(tile, 0, steps);
        for (std::size_t step = 0; step < positions.size(); ++step)
            for (std::size_t head = 0; head < 3; ++head) {
                const std::vector<double> exact = attention.exact(head, step);
                for (std::size_t i = 0; i < exact.size(); ++i)
                    EXPECT_NEAR(value_of(out[(step * 3 + head) * exact.size() + i]), exact[i], 0.02)
                        << key_count << " keys, step " << step;
            }
    }
}

}  // namespace
}  // namespace mc::lm::test
