// SPDX-License-Identifier: Apache-2.0
#include "working_context/allocator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/working_context/window_cases.h"

namespace mc {
namespace {

std::vector<Edit> planned(const Window& window, const std::vector<NodeScore>& scores,
                          const AllocatorLimits& limits = {}) {
    return plan_edits(window, scores, window.budget_entries(), limits)->edits;
}

TEST(Allocator, TakesAWholePathToOneBlockAsOnePlan) {
    const Window window = window_of(32 * 1024, 100);  // one level 3 node
    const std::vector<Edit> expected = {expand(node(1, 3, 0)), expand(node(1, 2, 4)),
                                        expand(node(1, 1, 130))};
    EXPECT_EQ(planned(window, {{node(1, 1, 130), 1.0}}), expected);
}

TEST(Allocator, DoesNotBeginAPathThatItCannotPayFor) {
    const Window window = window_of(32 * 1024, 1 + 2 * kEditCost);  // a path of 3 is too long
    EXPECT_TRUE(planned(window, {{node(1, 1, 130), 1.0}}).empty());
}

TEST(Allocator, WithoutEvidenceNothingMoves) {
    Window window = window_of(2048, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 2, 0))));
    EXPECT_TRUE(planned(window, {}).empty());
    EXPECT_TRUE(planned(window, {}, kNoLimits).empty());
}

TEST(Allocator, PlansTheCollapseBeforeTheExpansionThatNeedsItsRoom) {
    Window window = window_of(64, 2 + kEditCost);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    window.begin_step();
    const std::vector<Edit> expected = {collapse(node(1, 1, 0)), expand(node(1, 1, 1))};
    const auto plan = plan_edits(window, std::vector<NodeScore>{{node(1, 1, 1), 1.0}},
                                 window.budget_entries(), {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->edits, expected);
    EXPECT_EQ(plan->collapse_count, 1u);
    EXPECT_EQ(plan->cost_after, 2 + kEditCost);
    EXPECT_EQ(plan->gain_before, 0);
    EXPECT_EQ(plan->gain_after, 1);
}

TEST(Allocator, ASwapMustWinByMoreThanTheSwitchingCost) {
    Window window = window_of(64, 2 + kEditCost);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    const AllocatorLimits limits{0.25, 0, 0};
    EXPECT_TRUE(planned(window, {{node(1, 1, 0), 0.75}, {node(1, 1, 1), 1.0}}, limits).empty());
    EXPECT_EQ(planned(window, {{node(1, 1, 0), 0.74}, {node(1, 1, 1), 1.0}}, limits).size(), 2u);
}

TEST(Allocator, ATieKeepsWhatStands) {
    Window window = window_of(96, 3 + kEditCost);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 1))));
    const std::vector<NodeScore> equal = {
        {node(1, 1, 0), 1.0}, {node(1, 1, 1), 1.0}, {node(1, 1, 2), 1.0}};
    EXPECT_TRUE(planned(window, equal, kNoLimits).empty());
}

TEST(Allocator, ABlockExpandedJustNowStays) {
    Window window = window_of(64, 2 + kEditCost);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    const std::vector<NodeScore> scores = {{node(1, 1, 1), 1.0}};
    const AllocatorLimits limits{0.0, 0, 2};
    EXPECT_TRUE(planned(window, scores, limits).empty());
    window.begin_step();
    EXPECT_TRUE(planned(window, scores, limits).empty());
    window.begin_step();
    EXPECT_EQ(planned(window, scores, limits).size(), 2u);
}

TEST(Allocator, ABlockCollapsedJustNowStaysAway) {
    Window window = window_of(64, 2 + kEditCost);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    ASSERT_TRUE(window.apply(collapse(node(1, 1, 0))));
    const std::vector<NodeScore> scores = {{node(1, 1, 0), 1.0}};
    const AllocatorLimits limits{0.0, 1, 0};
    EXPECT_TRUE(planned(window, scores, limits).empty());
    window.begin_step();
    EXPECT_EQ(planned(window, scores, limits).size(), 1u);
}

TEST(Allocator, ASmallerBudgetPlansTheCollapsesThatItNeeds) {
    Window window = window_of(96, 200);
    const std::vector<Edit> all = {expand(node(1, 1, 0)), expand(node(1, 1, 1)),
                                   expand(node(1, 1, 2))};
    ASSERT_TRUE(window.apply(all));
    const std::vector<NodeScore> scores = {
        {node(1, 1, 0), 3.0}, {node(1, 1, 1), 1.0}, {node(1, 1, 2), 2.0}};
    const auto plan = plan_edits(window, scores, 70, kNoLimits);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->edits, std::vector<Edit>{collapse(node(1, 1, 1))});
    EXPECT_EQ(plan->cost_after, 65u);
}

TEST(Allocator, NamesTheSmallestBudgetThatWorksNow) {
    Window window = window_of(64, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    const auto refused = plan_edits(window, {}, 20, {0.0, 0, 1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverBudget);
    EXPECT_NE(refused.error().message().find("needs 33"), std::string::npos);
    EXPECT_TRUE(plan_edits(window, {}, 20, kNoLimits));
    EXPECT_EQ(plan_edits(window, {}, 0, {}).error().code(), ErrorCode::kUsage);
    EXPECT_EQ(plan_edits(window, {}, 101, {}).error().code(), ErrorCode::kUsage);
}

TEST(Allocator, AGainThatIsNoNumberIsTheScorersError) {
    const Window window = window_of(64, 100);
    for (const double gain : {std::nan(""), -1.0, HUGE_VAL}) {
        const auto refused =
            plan_edits(window, std::vector<NodeScore>{{node(1, 1, 0), gain}}, 100, {});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kModel);
    }
}

TEST(Allocator, PassesOverNodesThatTheWindowDoesNotAdmit) {
    const Window window = window_of(64, 100);
    EXPECT_TRUE(planned(window, {{node(2, 1, 0), 1.0}, {node(1, 1, 2), 1.0}}).empty());
}

TEST(Report, CountsUtilisationSwapsAndAges) {
    Window window = window_of(96, 3 + 2 * kEditCost);
    ASSERT_TRUE(window.apply(std::vector<Edit>{expand(node(1, 1, 0)), expand(node(1, 1, 1))}));
    window.begin_step();
    const std::vector<NodeScore> scores = {{node(1, 1, 1), 1.0}, {node(1, 1, 2), 1.0}};
    const EditPlan plan = *plan_edits(window, scores, window.budget_entries(), {});
    ASSERT_TRUE(window.apply(plan.edits));
    const WindowReport report = report_window(window, plan);
    EXPECT_DOUBLE_EQ(report.utilisation, 1.0);
    EXPECT_DOUBLE_EQ(report.swap_rate, 0.5);  // one of two made way
    EXPECT_DOUBLE_EQ(report.residency_steps_mean, 1.0 / 3.0);
    EXPECT_EQ(report.expanded_count, 2u);
}

}  // namespace
}  // namespace mc
