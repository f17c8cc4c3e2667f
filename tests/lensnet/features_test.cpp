// SPDX-License-Identifier: Apache-2.0
#include "lensnet/features.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

std::size_t index_of(const std::string& name) {
    const auto names = feature_names();
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

TEST(Features, HaveANameEach) {
    const auto names = feature_names();
    ASSERT_EQ(names.size(), kFeatureCount);
    EXPECT_EQ(names.front(), "cosine");
    EXPECT_LT(index_of("words_margin"), kFeatureCount);
    EXPECT_LT(index_of("gist_likelihood_best"), kFeatureCount);
}

TEST(Features, CompareACandidateWithTheBestOfTheOthers) {
    std::vector<Signals> candidates(3);
    candidates[0][Signal::kCosine] = 0.7;
    candidates[1][Signal::kCosine] = 0.4;
    candidates[2][Signal::kCosine] = 0.5;
    const auto rows = features_of(candidates);
    const std::size_t margin = index_of("cosine_margin");
    EXPECT_DOUBLE_EQ(rows[0][margin], 0.7 - 0.5);
    EXPECT_DOUBLE_EQ(rows[1][margin], 0.4 - 0.7);
    EXPECT_DOUBLE_EQ(rows[2][margin], 0.5 - 0.7);
    for (const auto& row : rows) EXPECT_DOUBLE_EQ(row[index_of("cosine_best")], 0.7);
}

TEST(Features, OfACandidateWithoutOthersHaveNoMargins) {
    std::vector<Signals> candidates(1);
    candidates[0][Signal::kWords] = 0.9;
    EXPECT_EQ(features_of(candidates)[0][index_of("words_margin")], 0);
    EXPECT_TRUE(features_of({}).empty());
}

RC_GTEST_PROP(Features, ArePermutedWithTheCandidates, (std::uint64_t seed, std::uint8_t size)) {
    Rng rng(seed);
    std::vector<Signals> candidates;
    for (std::size_t i = 0; i < 2U + size % 30U; ++i) candidates.push_back(random_signals(rng));
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
    std::vector<Signals> permuted;
    for (const std::size_t i : order) permuted.push_back(candidates[i]);
    const auto rows = features_of(candidates);
    const auto permuted_rows = features_of(permuted);
    for (std::size_t i = 0; i < order.size(); ++i) RC_ASSERT(permuted_rows[i] == rows[order[i]]);
}

}  // namespace
}  // namespace mc::lensnet
