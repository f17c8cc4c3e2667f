// SPDX-License-Identifier: Apache-2.0
#include "working_context/passage_ranking.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mc {
namespace {

Passage passage(std::uint64_t begin) {
    return {DocumentId(1), {begin, begin + 10}};
}

TEST(PassageRanking, AddsTheCubedShareOfWordsToTheCosine) {
    const PassageHit words[] = {{passage(0), 0.8F}};
    const PassageHit vectors[] = {{passage(10), 0.6F}, {passage(0), 0.5F}};
    const auto ranking = rank_passages(words, vectors, {.words_weight = 0.5});
    ASSERT_EQ(ranking.size(), 2U);
    EXPECT_EQ(ranking[0].passage, passage(0));
    EXPECT_NEAR(ranking[0].score, 0.756, 1e-6);
    EXPECT_EQ(ranking[0].words_rank, 1U);
    EXPECT_EQ(ranking[0].vectors_rank, 2U);
    EXPECT_NEAR(ranking[1].score, 0.6, 1e-6);
    EXPECT_EQ(ranking[1].words_rank, 0U);
}

TEST(PassageRanking, AFewOfTheQuestionsWordsWeighLessThanALittleMeaning) {
    // A third of the words, as any text has of any question, and most of them.
    const PassageHit words[] = {{passage(20), 0.9F}, {passage(0), 0.35F}};
    const PassageHit vectors[] = {{passage(10), 0.4F}, {passage(0), 0.3F}, {passage(20), 0.3F}};
    const auto ranking = rank_passages(words, vectors, {});
    EXPECT_EQ(ranking[0].passage, passage(20));
    EXPECT_EQ(ranking[1].passage, passage(10));
    EXPECT_EQ(ranking[2].passage, passage(0));
}

TEST(PassageRanking, APassageThatVectorsDoNotNameHasAtMostTheLastOnesCosine) {
    const PassageHit words[] = {{passage(0), 0.4F}};
    const PassageHit vectors[] = {{passage(10), 0.6F}, {passage(20), 0.1F}};
    const auto ranking = rank_passages(words, vectors, {.words_weight = 1});
    EXPECT_EQ(ranking[1].passage, passage(0));
    EXPECT_NEAR(ranking[1].score, 0.164, 1e-6);
}

TEST(PassageRanking, WithoutVectorsWordsAloneDecide) {
    const PassageHit words[] = {{passage(30), 0.4F}, {passage(0), 0.2F}};
    const auto ranking = rank_passages(words, {}, {});
    ASSERT_EQ(ranking.size(), 2U);
    EXPECT_EQ(ranking[0].passage, passage(30));
}

TEST(PassageRanking, EqualScoresStandInOrderOfPassage) {
    const PassageHit words[] = {{passage(30), 0.4F}, {passage(0), 0.4F}};
    EXPECT_EQ(rank_passages(words, {}, {})[0].passage, passage(0));
}

std::vector<RankedPassage> ranking_of(std::initializer_list<double> scores) {
    std::vector<RankedPassage> ranking;
    for (const double score : scores) ranking.push_back({.passage = {}, .score = score});
    return ranking;
}

using enum PassageChoice;

// What the rule makes of each.
std::vector<PassageChoice> chosen(std::vector<RankedPassage> ranking, const PassageRule& rule) {
    const std::size_t read = choose_by_rule(ranking, rule);
    std::vector<PassageChoice> choices;
    for (const RankedPassage& one : ranking) choices.push_back(one.choice);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count_if(choices, is_read)), read);
    EXPECT_TRUE(std::ranges::is_partitioned(choices, is_read));
    return choices;
}

using Choices = std::vector<PassageChoice>;

TEST(ChoiceByRule, EndsWhereScoresFallOff) {
    const PassageRule rule{.gap_max = 0.1, .score_min = 0.3, .count_max = 5};
    EXPECT_EQ(chosen(ranking_of({0.9, 0.85, 0.5}), rule), (Choices{kBest, kNearBest, kFarBelow}));
    EXPECT_EQ(chosen(ranking_of({0.9, 0.5, 0.49}), rule), (Choices{kBest, kFarBelow, kFarBelow}));
}

TEST(ChoiceByRule, HoldsRivalsThatTellOfTheSameThing) {
    const PassageRule rule{.gap_max = 0.1, .score_min = 0.3, .count_max = 5, .rival_gap_max = 0.2};
    auto ranking = ranking_of({0.9, 0.72, 0.6});
    for (RankedPassage& one : ranking) one.words = 0.5;
    EXPECT_EQ(chosen(ranking, rule), (Choices{kBest, kRival, kFarBelow}));
    ranking[1].words = 0.4;
    EXPECT_EQ(chosen(ranking, rule), (Choices{kBest, kFarBelow, kFarBelow}));
    // Passages that hold hardly a word of the question are no rivals.
    for (RankedPassage& one : ranking) one.words = 0.1;
    EXPECT_EQ(chosen(ranking, rule), (Choices{kBest, kFarBelow, kFarBelow}));
}

TEST(ChoiceByRule, ReadsNothingBehindWhatItLeavesOut) {
    const PassageRule rule{.gap_max = 0.1, .score_min = 0.3, .count_max = 5, .rival_gap_max = 0.2};
    auto ranking = ranking_of({0.9, 0.75, 0.72});
    for (RankedPassage& one : ranking) one.words = 0.5;
    ranking[1].words = 0.1;
    EXPECT_EQ(chosen(ranking, rule), (Choices{kBest, kFarBelow, kFarBelow}));
}

TEST(ChoiceByRule, IsBoundedInNumber) {
    const PassageRule rule{.gap_max = 1, .score_min = 0, .count_max = 2};
    EXPECT_EQ(chosen(ranking_of({0.9, 0.9, 0.9}), rule), (Choices{kBest, kNearBest, kBeyondCount}));
}

TEST(ChoiceByRule, IsNoneWhenNotEvenTheBestIsLikelyToAnswer) {
    const PassageRule rule{.gap_max = 1, .score_min = 0.5, .count_max = 2};
    EXPECT_EQ(chosen(ranking_of({0.49, 0.4}), rule), (Choices{kUnlikely, kUnlikely}));
    EXPECT_EQ(chosen({}, rule), Choices{});
}

TEST(ChoiceByRule, IsNoneWhenTheBestDoesNotStandOutFromWhatIsALittleLikeTheQuestion) {
    const PassageRule rule{
        .gap_max = 0.1, .score_min = 0.3, .stand_out_weight = 4, .stand_out_min = 0.6};
    auto crowd = ranking_of({0.4, 0.39, 0.38, 0.37, 0.36, 0.1});
    auto alone = ranking_of({0.4, 0.3, 0.3, 0.3, 0.3});
    for (auto* ranking : {&crowd, &alone})
        for (std::size_t i = 0; i < ranking->size(); ++i) (*ranking)[i].vectors_rank = i + 1;
    EXPECT_EQ(chosen(crowd, rule), Choices(6, kUnlikely));
    EXPECT_EQ(chosen(alone, rule).front(), kBest);
    // One passage is all there is to compare with itself; what words alone say is not compared.
    EXPECT_EQ(chosen({crowd.front()}, rule).front(), kBest);
    EXPECT_EQ(chosen(ranking_of({0.4, 0.39, 0.38, 0.37, 0.36}), rule).front(), kBest);
}

}  // namespace
}  // namespace mc
