// SPDX-License-Identifier: Apache-2.0
// The device's pooling against the formula of gistnet/pooling/attention_pooler.h in f64.
// (Against gistnet::pool() itself: torch_forms_test.cpp.)
#include <gtest/gtest.h>

#include "tests/cuda/both_orders.h"
#include "tests/lm/kernels/plain_numbers.h"

namespace mc::cuda::test {
namespace {

constexpr std::size_t kLayers = 2;
constexpr std::size_t kHeads = 3;
constexpr std::size_t kDim = 8;
constexpr std::size_t kK = kSlots;
constexpr std::size_t kWidth = 2 * kHeads * kDim;  // no multiple of what is read at a time
constexpr std::size_t kTexts = 2;
constexpr std::size_t kBlocks = 2;  // of a text
constexpr std::size_t kGists = kTexts * kBlocks;

struct Gist {
    std::vector<double> key;
    std::vector<double> value;
    double mass = 0;
};

// The last parameter: pooling queries, 16 fill a thread's four scores.
class PoolingKernel : public testing::TestWithParam<std::size_t> {
  protected:
    PoolingKernel() {
        const std::size_t planes = kLayers * kHeads;
        const std::size_t J = GetParam();
        const auto draw = [&](std::size_t count, double bound) {
            return random_.draw<float>(static_cast<std::int64_t>(count), -bound, bound);
        };
        queries_ = draw(planes * J * kWidth, 2);
        biases_ = draw(planes * J * kK, 2);
        key_map_ = draw(planes * J * kDim * kDim, 1);
        value_map_ = draw(planes * J * kDim * kDim, 1);
        mass_bias_ = draw(planes, 12);  // some end at either bound
        mass_map_ = draw(planes * 2 * J * kDim, 3);
        const std::size_t count = kTexts * kLayers * kHeads * kBlocks * kK * kDim;
        keys_ = draw(count, 2);
        values_ = draw(count, 2);
    }

    // (text, layer, head, block × K, D), as the base model's reading has it.
    PoolBlocks<float> kernel() {
        const std::int64_t block = kK * kDim;
        const std::int64_t head = kBlocks * block;
        const std::int64_t layer = kHeads * head;
        return {{queries_.data(), biases_.data(), key_map_.data(), value_map_.data(),
                 mass_bias_.data(), mass_map_.data()},
                {kLayers * layer, block, layer, head, kDim, kBlocks},
                keys_.data(),
                values_.data(),
                out_keys_.data(),
                out_values_.data(),
                out_mass_.data(),
                kGists,
                kLayers,
                kHeads,
                static_cast<int>(GetParam()),
                kDim};
    }

    std::size_t at(std::size_t gist, std::size_t layer, std::size_t head, std::size_t slot) const {
        const std::size_t text = gist / kBlocks;
        return ((((text * kLayers + layer) * kHeads + head) * kBlocks + gist % kBlocks) * kK +
                slot) *
               kDim;
    }

    // w of one query: softmax over the slots.
    std::vector<double> weights(std::size_t gist, std::size_t layer, std::size_t head,
                                std::size_t query) const {
        const std::size_t row = (layer * kHeads + head) * GetParam() + query;
        std::vector<double> w;
        double total = 0;
        for (std::size_t t = 0; t < kK; ++t) {
            double score = 0;
            for (std::size_t h = 0; h < kHeads; ++h)
                for (std::size_t d = 0; d < kDim; ++d) {
                    const std::size_t x = at(gist, layer, h, t) + d;
                    score += double{queries_[row * kWidth + h * kDim + d]} * double{keys_[x]} +
                             double{queries_[row * kWidth + (kHeads + h) * kDim + d]} *
                                 double{values_[x]};
                }
            w.push_back(std::exp(score / std::sqrt(double{kDim}) + double{biases_[row * kK + t]}));
            total += w.back();
        }
        for (double& weight : w) weight /= total;
        return w;
    }

    Gist exact(std::size_t gist, std::size_t layer, std::size_t head) const {
        const std::size_t plane = layer * kHeads + head;
        const std::size_t side = GetParam() * kDim;
        std::vector<double> p(2 * side, 0);
        for (std::size_t j = 0; j < GetParam(); ++j) {
            const auto w = weights(gist, layer, head, j);
            for (std::size_t t = 0; t < kK; ++t)
                for (std::size_t d = 0; d < kDim; ++d) {
                    p[j * kDim + d] += w[t] * double{keys_[at(gist, layer, head, t) + d]};
                    p[side + j * kDim + d] += w[t] * double{values_[at(gist, layer, head, t) + d]};
                }
        }
        Gist out{std::vector<double>(kDim, 0), std::vector<double>(kDim, 0),
                 double{mass_bias_[plane]}};
        double lengths[2] = {0, 0};
        for (std::size_t i = 0; i < 2 * side; ++i) lengths[i / side] += p[i] * p[i];
        for (std::size_t i = 0; i < side; ++i) {
            for (std::size_t d = 0; d < kDim; ++d) {
                const std::size_t map = (plane * side + i) * kDim + d;
                out.key[d] += p[i] * double{key_map_[map]};
                out.value[d] += p[side + i] * double{value_map_[map]};
            }
            out.mass += p[i] / std::sqrt(lengths[0]) * double{mass_map_[plane * 2 * side + i]} +
                        p[side + i] / std::sqrt(lengths[1]) *
                            double{mass_map_[plane * 2 * side + side + i]};
        }
        out.mass = std::clamp(out.mass, -8.0, 6.0);
        return out;
    }

    void expect_exact() const {
        std::size_t bounded = 0;
        for (std::size_t i = 0; i < kGists * kLayers * kHeads; ++i) {
            const Gist gist = exact(i / (kLayers * kHeads), i / kHeads % kLayers, i % kHeads);
            for (std::size_t d = 0; d < kDim; ++d) {
                ASSERT_NEAR(out_keys_[i * kDim + d], gist.key[d], 2e-5) << i;
                ASSERT_NEAR(out_values_[i * kDim + d], gist.value[d], 2e-5) << i;
            }
            ASSERT_NEAR(out_mass_[i], gist.mass, 2e-5) << i;
            bounded += gist.mass == -8 || gist.mass == 6 ? 1 : 0;
        }
        EXPECT_GT(bounded, 0U);
        EXPECT_LT(bounded, kGists * kLayers * kHeads);
    }

    lm::test::RandomNumbers random_;
    std::vector<float> queries_, biases_, key_map_, value_map_, mass_bias_, mass_map_;
    std::vector<float> keys_, values_;
    std::vector<float> out_keys_ = std::vector<float>(kGists * kLayers * kHeads * kDim);
    std::vector<float> out_values_ = out_keys_;
    std::vector<float> out_mass_ = std::vector<float>(kGists * kLayers * kHeads);
};

TEST_P(PoolingKernel, pools_the_blocks_of_texts_by_the_formula) {
    run_in_both_orders(kernel(), out_keys_);
    run_in_both_orders(kernel(), out_values_);
    run_in_both_orders(kernel(), out_mass_);
    expect_exact();
}

TEST_P(PoolingKernel, pools_children_as_they_lie_in_gists) {
    // (family × K, L, 2, H, D): the same numbers, each family's children one after the other.
    std::vector<float> children(2 * keys_.size());
    const std::size_t of_child = kLayers * 2 * kHeads * kDim;
    for (std::size_t gist = 0; gist < kGists; ++gist)
        for (std::size_t l = 0; l < kLayers; ++l)
            for (std::size_t h = 0; h < kHeads; ++h)
                for (std::size_t t = 0; t < kK; ++t)
                    for (std::size_t d = 0; d < kDim; ++d) {
                        const std::size_t to =
                            (gist * kK + t) * of_child + (l * 2 * kHeads + h) * kDim + d;
                        children[to] = keys_[at(gist, l, h, t) + d];
                        children[to + kHeads * kDim] = values_[at(gist, l, h, t) + d];
                    }
    PoolBlocks<float> pool = kernel();
    pool.keys = children.data();
    pool.values = children.data() + kHeads * kDim;
    pool.strides = {kK * of_child, 0, 2 * kHeads * kDim, kDim, of_child, 1};
    run_in_both_orders(pool, out_keys_);
    expect_exact();
}

TEST_P(PoolingKernel, a_level_without_log_mass_writes_none) {
    PoolBlocks<float> pool = kernel();
    pool.parameters.mass_bias = pool.parameters.mass_map = nullptr;
    pool.out_mass = nullptr;
    run_in_both_orders(pool, out_values_);
    EXPECT_NEAR(out_values_[0], exact(0, 0, 0).value[0], 2e-5);
}

INSTANTIATE_TEST_SUITE_P(Queries, PoolingKernel, testing::Values(1, 4, 16));

}  // namespace
}  // namespace mc::cuda::test
