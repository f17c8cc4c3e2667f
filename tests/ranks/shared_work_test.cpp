// SPDX-License-Identifier: Apache-2.0
#include "ranks/shared_work.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "tests/support/thread_ranks.h"

namespace mc::ranks {
namespace {

std::string result_of(std::size_t unit) {
    return std::string(unit, 'x') + std::to_string(unit);
}

TEST(SharedWork, EveryRankGetsTheResultsOfAllUnitsInTheirOrderAndEachIsDoneOnce) {
    constexpr std::size_t kUnits = 7;
    for (const int world : {1, 2, 3, 9}) {
        std::array<std::atomic<int>, kUnits> done{};
        test::run_ranks(world, [&](RankGroup& group) {
            const auto all =
                share_work(group, kUnits, [&](std::size_t unit) -> Result<std::string> {
                    ++done[unit];
                    return result_of(unit);
                });
            ASSERT_TRUE(all) << all.error().to_string();
            ASSERT_EQ(all->size(), kUnits);
            for (std::size_t unit = 0; unit < kUnits; ++unit)
                EXPECT_EQ((*all)[unit], result_of(unit));
        });
        for (const auto& times : done) EXPECT_EQ(times, 1) << world;
    }
}

TEST(SharedWork, NoUnitsAreNoResults) {
    test::run_ranks(2, [](RankGroup& group) {
        const auto all = share_work(group, 0, [](std::size_t) { return std::string("?"); });
        ASSERT_TRUE(all);
        EXPECT_TRUE(all->empty());
    });
}

TEST(SharedWork, WhereOneRankFailsTheOthersAreToldToo) {
    test::run_ranks(3, [](RankGroup& group) {
        const bool is_bad = group.rank() == 1;
        const auto all = share_work(group, 6, [&](std::size_t) -> Result<std::string> {
            if (is_bad) return fail(ErrorCode::kModel, "no");
            return std::string("yes");
        });
        ASSERT_FALSE(all);
        EXPECT_EQ(all.error().code(), is_bad ? ErrorCode::kModel : ErrorCode::kIo);
    });
}

TEST(SharedWork, RanksThatDoNotAgreeOnTheWorkAreAnErrorAndNoMixture) {
    test::run_ranks(2, [](RankGroup& group) {
        const std::size_t units = group.rank() == 0 ? 4 : 2;
        const auto all = share_work(group, units, [](std::size_t) { return std::string("x"); });
        EXPECT_EQ(all.has_value(), group.rank() == 1);
        if (!all) {
            EXPECT_EQ(all.error().code(), ErrorCode::kCorruption);
        }
    });
}

}  // namespace
}  // namespace mc::ranks
