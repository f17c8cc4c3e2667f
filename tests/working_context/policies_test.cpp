// SPDX-License-Identifier: Apache-2.0
#include "working_context/policies.h"

#include <gtest/gtest.h>

#include <map>

#include "core/config.h"
#include "tests/working_context/window_cases.h"
#include "working_context/allocator.h"
#include "working_context/hit_fusion.h"

namespace mc {
namespace {

// The setting's first policy is the answering form.
constexpr auto kRuleNames = std::span(kPolicyNames).subspan<kAnsweringPolicyCount>();

std::vector<NodeScore> scores_of(std::string_view policy, const Window& window,
                                 const FocusRequest& request) {
    return *(*make_policy(policy))->score(window, request);
}

std::map<NodeId, double> gains_of(std::string_view policy, const Window& window,
                                  const FocusRequest& request) {
    std::map<NodeId, double> gains;
    for (const NodeScore& score : scores_of(policy, window, request)) {
        gains[score.node] = score.gain;
    }
    return gains;
}

// Statistics that make one level 1 block of document 1 surprising.
FocusRequest surprising_block(std::uint64_t block) {
    FocusRequest request;
    request.find_statistics = [block](NodeId at) -> Result<NodeStatistics> {
        const TokenSpan surprising = span_of(Level(1), NodeIndex(block));
        const bool holds_it = span_of(at).contains(surprising);
        return NodeStatistics{holds_it ? 4.0f : 3.0f, 0.0f};
    };
    return request;
}

TEST(PolicyNames, EveryRuleOfTheSettingIsMadeAndAnUnknownOneListsThem) {
    for (const std::string_view name : kRuleNames) {
        ASSERT_TRUE(make_policy(name));
        EXPECT_EQ((*make_policy(name))->name(), name);
    }
    EXPECT_FALSE(make_policy(kPolicyNames.front()));
    const auto refused = make_policy("newest");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
    EXPECT_NE(refused.error().message().find("recency, random"), std::string::npos);
}

TEST(EveryPolicy, IsDeterministicOrderedAndBoundedByTheBudget) {
    Rng rng(20260303);
    for (int round = 0; round < 100; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        const Window window = random_window(rng);
        FocusRequest request = surprising_block(rng.below(100));
        request.seed = rng.next();
        for (int i = 0; i < 20; ++i) {
            request.lexical_hits.push_back({random_node(window, rng), 20.0f - float(i)});
            request.vector_hits.push_back({random_node(window, rng), 1.0f - float(i) / 10});
        }
        for (const std::string_view name : kRuleNames) {
            const auto scores = scores_of(name, window, request);
            ASSERT_EQ(scores, scores_of(name, window, request)) << name;
            ASSERT_LE(scores.size(), 4 * (window.budget_entries() / kEditCost + 20)) << name;
            for (std::size_t i = 0; i < scores.size(); ++i) {
                ASSERT_GE(scores[i].gain, 0) << name;
                ASSERT_TRUE(window.admits(scores[i].node)) << name;
                ASSERT_TRUE(i == 0 || scores[i - 1].node < scores[i].node) << name;
            }
            ASSERT_TRUE(plan_edits(window, scores, window.budget_entries(), {})) << name;
        }
    }
}

TEST(EveryPolicy, ScoresTenMillionTokensAsShortlyAsTheBudgetIs) {
    const Window window = window_of(10'000'000, 2'000);
    for (const std::string_view name : kRuleNames) {
        const auto scores = scores_of(name, window, surprising_block(77));
        EXPECT_LE(scores.size(), 4u * 2'000u / kEditCost) << name;
    }
}

TEST(Recency, OpensTheNewestBlocks) {
    Window window = window_of(320, 10 + 3 * kEditCost);
    const auto plan =
        plan_edits(window, scores_of("recency", window, {}), window.budget_entries(), {});
    const std::vector<Edit> expected = {expand(node(1, 1, 7)), expand(node(1, 1, 8)),
                                        expand(node(1, 1, 9))};
    EXPECT_EQ(plan->edits, expected);
}

TEST(Recency, TakesTheLastDocumentOfTheWindowForTheNewest) {
    const Window window =
        *Window::make_coarsest({{whole(9, 64), whole(2, 64)}, {}, 4 + 3 * kEditCost, 0});
    const auto plan =
        plan_edits(window, scores_of("recency", window, {}), window.budget_entries(), {});
    const std::vector<Edit> expected = {expand(node(2, 1, 0)), expand(node(2, 1, 1)),
                                        expand(node(9, 1, 1))};
    EXPECT_EQ(plan->edits, expected);
}

TEST(Random, DrawsOtherBlocksForAnotherSeed) {
    const Window window = window_of(320, 10 + 3 * kEditCost);
    FocusRequest one;
    FocusRequest two;
    two.seed = 1;
    EXPECT_NE(scores_of("random", window, one), scores_of("random", window, two));
    EXPECT_FALSE(scores_of("random", window, one).empty());
}

TEST(Random, FillsTheBudgetAsTheOthersDo) {
    const Window window = window_of(10'000, 4'000);
    for (const std::string_view name : {"random", "recency", "uniform"}) {
        const auto plan =
            plan_edits(window, scores_of(name, window, {}), window.budget_entries(), {});
        EXPECT_GT(plan->cost_after + kEditCost, window.budget_entries()) << name;
    }
}

TEST(Uniform, OpensTheHighestLevelFirstAndTheLastOneAtEvenDistances) {
    const Window window = window_of(2048, 2 + 6 * kEditCost);
    const auto plan =
        plan_edits(window, scores_of("uniform", window, {}), window.budget_entries(), {});
    const std::vector<Edit> expected = {expand(node(1, 2, 0)),  expand(node(1, 2, 1)),
                                        expand(node(1, 1, 8)),  expand(node(1, 1, 24)),
                                        expand(node(1, 1, 40)), expand(node(1, 1, 56))};
    EXPECT_EQ(plan->edits, expected);
}

TEST(KeepHighNll, GoesDownToTheMostSurprisingBlock) {
    const Window window = window_of(32 * 1024, 1 + 3 * kEditCost);
    const auto plan = plan_edits(window, scores_of("keep-high-nll", window, surprising_block(130)),
                                 window.budget_entries(), {});
    const std::vector<Edit> expected = {expand(node(1, 3, 0)), expand(node(1, 2, 4)),
                                        expand(node(1, 1, 130))};
    EXPECT_EQ(plan->edits, expected);
}

TEST(KeepHighNll, WithoutStatisticsSaysHowToGetThem) {
    const Window window = window_of(64, 100);
    FocusRequest unknown;
    unknown.find_statistics = [](NodeId) -> Result<NodeStatistics> { return NodeStatistics{}; };
    for (const FocusRequest& request : {FocusRequest{}, unknown}) {
        const auto refused = (*make_policy("keep-high-nll"))->score(window, request);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
        EXPECT_NE(refused.error().message().find("--stats"), std::string::npos);
    }
}

TEST(Hits, LeadFromTheTopDownToTheirBlock) {
    const Window window = window_of(32 * 1024, 1 + 3 * kEditCost);
    FocusRequest request;
    request.lexical_hits = {{node(1, 1, 130), 8.0f}};
    const std::map<NodeId, double> expected = {
        {node(1, 1, 130), 8.0}, {node(1, 2, 4), 4.0}, {node(1, 3, 0), 2.0}};
    EXPECT_EQ(gains_of("bm25", window, request), expected);
    EXPECT_TRUE(gains_of("cosine", window, request).empty());
    const auto plan =
        plan_edits(window, scores_of("bm25", window, request), window.budget_entries(), {});
    EXPECT_EQ(plan->edits.back(), expand(node(1, 1, 130)));
}

TEST(Hits, OutsideTheWindowOrWithoutMeritCountForNothing) {
    const Window window = window_of(64, 100);
    FocusRequest request;
    request.vector_hits = {{node(2, 1, 0), 0.9f}, {node(1, 1, 9), 0.8f}, {node(1, 1, 1), -0.1f}};
    EXPECT_TRUE(gains_of("cosine", window, request).empty());
}

TEST(Hybrid, FusesBothLists) {
    const Window window = window_of(96, 100);
    FocusRequest request;
    request.lexical_hits = {{node(1, 1, 2), 9.0f}, {node(1, 1, 0), 8.0f}};
    request.vector_hits = {{node(1, 1, 0), 0.9f}, {node(1, 1, 1), 0.8f}};
    const auto gains = gains_of("hybrid", window, request);
    const WeightedHits lists[] = {{request.lexical_hits, kLexicalWeight},
                                  {request.vector_hits, kVectorWeight}};
    const FusedScores fused = fuse_hits(lists);
    for (const std::uint64_t block : {0, 1, 2})
        EXPECT_DOUBLE_EQ(gains.at(node(1, 1, block)), fused.at(node(1, 1, block)));
    EXPECT_EQ(gains.size(), fused.size());
}

}  // namespace
}  // namespace mc
