// SPDX-License-Identifier: Apache-2.0
// The allocator's laws on random windows, scores, budgets and limits; its choice against an
// exhaustive search.
#include <gtest/gtest.h>

#include "tests/working_context/window_cases.h"
#include "working_context/allocator.h"
#include "working_context/expansion_choice.h"
#include "working_context/invariants.h"
#include "working_context/legality.h"

namespace mc {
namespace {

constexpr std::uint64_t kAllocatorSeed = 20260302;

std::vector<NodeScore> random_scores(const Window& window, Rng& rng) {
    std::map<NodeId, double> gains;
    const std::uint64_t count = rng.below(40);
    for (std::uint64_t i = 0; i < count; ++i) {
        const Selection& selection = window.selections()[rng.below(window.selections().size())];
        const Level level(static_cast<std::uint8_t>(1 + rng.below(3)));
        const std::uint64_t token = rng.below(selection.shape.token_count);
        const NodeId at{selection.shape.document, level, node_holding(token, level)};
        gains[at] = static_cast<double>(rng.below(5));  // few values: many ties
    }
    std::vector<NodeScore> scores;
    for (const auto& [at, gain] : gains) scores.push_back({at, gain});
    return scores;
}

// Applies a plan edit by edit; each must be legal when its turn comes and break no law.
void apply_checked(Window& window, const EditPlan& plan, const AllocatorLimits& limits) {
    for (const Edit& edit : plan.edits) {
        ASSERT_EQ(may_apply(window, edit, limits), Legality::kLegal)
            << to_string(edit) << ": " << legality_text(may_apply(window, edit, limits));
        ASSERT_TRUE(window.apply(edit, limits));
        ASSERT_TRUE(check_window(window));
    }
    ASSERT_EQ(window.cost(), plan.cost_after);
}

TEST(AllocatorLaws, EveryPlannedEditIsLegalWhenReachedAndTheBudgetHolds) {
    Rng rng(kAllocatorSeed);
    std::uint64_t edit_count = 0;
    std::uint64_t collapse_count = 0;
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        const AllocatorLimits limits{rng.uniform(), rng.below(4), rng.below(4)};
        for (int refocus = 0; refocus < 20; ++refocus) {
            window.begin_step();
            const std::uint64_t budget = window.budget_entries() - rng.below(2) * rng.below(40);
            const auto plan = plan_edits(window, random_scores(window, rng), budget, limits);
            if (!plan) {
                ASSERT_TRUE(plan.error().code() == ErrorCode::kOverBudget ||
                            plan.error().code() == ErrorCode::kUsage);
                continue;
            }
            ASSERT_LE(plan->cost_after, budget);
            ASSERT_NO_FATAL_FAILURE(apply_checked(window, *plan, limits));
            edit_count += plan->edits.size();
            collapse_count += plan->collapse_count;
        }
    }
    EXPECT_GT(edit_count, 10'000u);
    EXPECT_GT(collapse_count, 1'000u);
}

TEST(AllocatorLaws, TheSameInputGivesTheSamePlanAndASettledWindowStays) {
    Rng rng(kAllocatorSeed + 1);
    for (int round = 0; round < 1000; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        const auto scores = random_scores(window, rng);
        const auto plan = plan_edits(window, scores, window.budget_entries(), {});
        const auto again = plan_edits(window, scores, window.budget_entries(), {});
        ASSERT_EQ(plan->edits, again->edits);
        ASSERT_TRUE(window.apply(plan->edits));
        for (int refocus = 0; refocus < 3; ++refocus) {
            window.begin_step();
            ASSERT_TRUE(plan_edits(window, scores, window.budget_entries(), {})->edits.empty());
        }
    }
}

TEST(AllocatorLaws, AHigherBudgetNeverCoversLessEvidence) {
    Rng rng(kAllocatorSeed + 2);
    for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        const auto scores = random_scores(window, rng);
        const std::uint64_t budget_max = window.budget_entries();
        double gain_last = 0;
        for (std::uint64_t budget = window.cost(); budget <= budget_max; budget += 13) {
            const auto plan = plan_edits(window, scores, budget, {});
            if (budget == 0) continue;
            ASSERT_TRUE(plan);
            ASSERT_GE(plan->gain_after, gain_last);  // gains are whole numbers: exact
            gain_last = plan->gain_after;
        }
    }
}

// The best sum over every ancestor-closed subset within the room, by trying them all.
double best_by_search(const std::vector<ExpansionCandidate>& candidates,
                      const std::vector<std::size_t>& parents, std::uint64_t room) {
    double best = -1;
    for (std::uint32_t subset = 0; subset < (1u << candidates.size()); ++subset) {
        const auto has = [&](std::size_t i) { return (subset >> i & 1u) != 0; };
        std::uint64_t cost = 0;
        double value = 0;
        bool is_valid = true;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (candidates[i].is_forced && !has(i)) is_valid = false;
            if (!has(i)) continue;
            if (parents[i] != i && !has(parents[i])) is_valid = false;
            cost += candidates[i].is_forced ? 0 : 1;
            value += candidates[i].value;
        }
        if (is_valid && cost <= room) best = std::max(best, value);
    }
    return best;
}

TEST(ExpansionChoice, EqualsTheExhaustiveSearch) {
    Rng rng(kAllocatorSeed + 3);
    for (int round = 0; round < 1'500; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        std::map<NodeId, bool, decltype(&precedes)> nodes(&precedes);  // node → forced
        while (nodes.size() < 9) {
            const bool is_forced = rng.below(5) == 0;
            for (NodeId at = node(1, 1, rng.below(3) * 1024 + rng.below(3) * 32 + rng.below(2));
                 at.level <= Level(3); at = parent_of(at)) {
                nodes[at] = nodes[at] || is_forced;
            }
        }
        std::vector<ExpansionCandidate> candidates;
        for (const auto& [at, is_forced] : nodes) {
            const double value = static_cast<double>(rng.below(6));
            candidates.push_back({at, value, is_forced, rng.below(2) == 0});
        }
        std::vector<std::size_t> parents;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            std::size_t parent = i;
            for (std::size_t j = 0; j < i; ++j) {
                if (candidates[i].node.level < Level(3) &&
                    candidates[j].node == parent_of(candidates[i].node)) {
                    parent = j;
                }
            }
            parents.push_back(parent);
        }
        const std::uint64_t room = rng.below(candidates.size() + 2);
        const std::vector<bool> chosen = choose_expansions(candidates, room);
        double value = 0;
        std::uint64_t cost = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (!chosen[i]) {
                ASSERT_FALSE(candidates[i].is_forced);
                continue;
            }
            ASSERT_TRUE(chosen[parents[i]]);
            value += candidates[i].value;
            cost += candidates[i].is_forced ? 0 : 1;
        }
        ASSERT_LE(cost, room);
        ASSERT_EQ(value, best_by_search(candidates, parents, room));
    }
}

}  // namespace
}  // namespace mc
