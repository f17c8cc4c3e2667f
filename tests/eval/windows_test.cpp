// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/windows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace mc::eval {
namespace {

RC_GTEST_PROP(Windows, AreSortedDisjointAndInsideTheDocument, ()) {
    const auto width = *rc::gen::inRange<std::uint64_t>(1, 400);
    const auto count = *rc::gen::inRange<std::uint64_t>(1, 100);
    const auto slack = *rc::gen::inRange<std::uint64_t>(0, 5000);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const std::uint64_t tokens = width * count + slack;
    const auto starts = plan_window_starts(tokens, count, width, seed);
    RC_ASSERT(starts.has_value());
    RC_ASSERT(starts->size() == count);
    for (std::size_t w = 0; w < count; ++w) {
        const std::uint64_t next = w + 1 < count ? (*starts)[w + 1] : tokens;
        RC_ASSERT((*starts)[w] + width <= next);
    }
}

TEST(Windows, DocumentOneTokenTooShortIsRefusedWithTheNeededCount) {
    EXPECT_TRUE(plan_window_starts(28160, 80, 352, 1));
    const auto starts = plan_window_starts(28159, 80, 352, 1);
    ASSERT_FALSE(starts);
    EXPECT_EQ(starts.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(starts.error().message().find("28160"), std::string::npos);
    EXPECT_NE(starts.error().message().find("28159"), std::string::npos);
}

TEST(Windows, SeedMovesTheWindows) {
    EXPECT_EQ(*plan_window_starts(100000, 10, 352, 1), *plan_window_starts(100000, 10, 352, 1));
    EXPECT_NE(*plan_window_starts(100000, 10, 352, 1), *plan_window_starts(100000, 10, 352, 2));
}

RC_GTEST_PROP(Windows, DerangementIsAPermutationThatMapsNothingToItself, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(2, 300);
    const auto order = plan_derangement(count, *rc::gen::arbitrary<std::uint64_t>());
    RC_ASSERT(std::set<std::size_t>(order.begin(), order.end()).size() == count);
    for (std::size_t i = 0; i < count; ++i) {
        RC_ASSERT(order[i] < count);
        RC_ASSERT(order[i] != i);
    }
}

TEST(Windows, SeedChangesTheDerangement) {
    EXPECT_EQ(plan_derangement(40, 7), plan_derangement(40, 7));
    EXPECT_NE(plan_derangement(40, 7), plan_derangement(40, 8));
}

}  // namespace
}  // namespace mc::eval
