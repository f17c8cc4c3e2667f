// SPDX-License-Identifier: Apache-2.0
#include "lensnet/subset_regression.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>

#include <set>

#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

RC_GTEST_PROP(Subsets, BeginWithNothingAndSinglesAndRepeatNone,
              (std::uint64_t seed, std::uint8_t candidates, std::uint8_t random)) {
    const std::size_t count = candidates % 12;
    const auto subsets = subsets_to_read(count, random % 20, Rng(seed));
    RC_ASSERT(subsets.size() >= count + 1);
    RC_ASSERT(subsets.size() <= count + 1 + random % 20);
    RC_ASSERT(subsets.front().empty());
    for (std::size_t i = 0; i < count; ++i)
        RC_ASSERT(subsets[i + 1] == std::vector<std::size_t>{i});
    RC_ASSERT(std::set(subsets.begin(), subsets.end()).size() == subsets.size());
    for (const auto& subset : subsets) {
        RC_ASSERT(subset.size() <= 4U);
        RC_ASSERT(std::ranges::is_sorted(subset));
        if (!subset.empty()) RC_ASSERT(subset.back() < count);
    }
}

TEST(SubsetRegression, FindsGainsThatAddUp) {
    const std::vector<double> gains = {4, -0.5, 0, 2, -1};
    const auto fitted = fit_gains(readings_of(gains, 20, Rng(1)), gains.size());
    // The ridge draws them towards 0 by less than a fortieth of what was shown often.
    for (std::size_t i = 0; i < gains.size(); ++i) EXPECT_NEAR(fitted[i], gains[i], 0.1) << i;
}

TEST(SubsetRegression, ACandidateThatWasNeverShownGainsNothing) {
    const std::vector<SubsetReading> readings = {{{}, -3}, {{0}, -1}, {{0}, -1}};
    const auto fitted = fit_gains(readings, 2);
    EXPECT_GT(fitted[0], 1);
    EXPECT_EQ(fitted[1], 0);
    EXPECT_EQ(fit_gains({}, 1), std::vector<double>{0});
}

TEST(SubsetRegression, ReliabilityIsHighForALawAndLowForNoise) {
    EXPECT_GT(split_half_reliability(readings_of({4, -0.5, 0, 2, -1}, 20, Rng(1)), 5), 0.9);
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Rng rng(seed);
        auto readings = readings_of({0, 0, 0, 0, 0}, 20, Rng(seed));
        for (SubsetReading& one : readings) one.likelihood = rng.uniform();
        sum += split_half_reliability(readings, 5);
    }
    EXPECT_LT(sum / 20, 0.3);
    EXPECT_EQ(split_half_reliability({}, 5), 0);
}

}  // namespace
}  // namespace mc::lensnet
