// SPDX-License-Identifier: Apache-2.0
#include "working_context/answer_window.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mc {
namespace {

constexpr DocumentId kDocument{7};

NodeId node(std::uint8_t level, std::uint64_t index) {
    return {kDocument, Level(level), NodeIndex(index)};
}

Passage passage(std::uint64_t begin, std::uint64_t end) {
    return {kDocument, {begin, end}};
}

std::vector<std::string> violations_of(const AnswerWindow& window) {
    const DocumentShape shapes[] = {DocumentShape::of(kDocument, 2100)};
    return answer_window_violations(window, shapes);
}

TEST(AnswerWindow, CostsItsGistsItsTokensAndWhatIsReserved) {
    const AnswerWindow window{{node(2, 0), node(1, 40)}, {passage(1500, 1520)}, 2, 9, 100};
    EXPECT_EQ(window.cost(), 2U + 20U + 2U + 9U);
    EXPECT_EQ(window.covered_tokens(), 1024U + 32U + 20U);
    EXPECT_TRUE(violations_of(window).empty());
}

TEST(AnswerWindow, KnowsAtWhichLevelATokenStands) {
    const AnswerWindow window{{node(2, 0), node(1, 40)}, {passage(1500, 1520)}, 0, 0, 100};
    EXPECT_EQ(window.level_of(kDocument, 1023), 2);
    EXPECT_EQ(window.level_of(kDocument, 1280), 1);
    EXPECT_EQ(window.level_of(kDocument, 1519), 0);
    EXPECT_EQ(window.level_of(kDocument, 1520), -1);
    EXPECT_EQ(window.level_of(DocumentId(8), 1500), -1);
}

TEST(AnswerWindow, EachBrokenRuleIsNamed) {
    const auto first = [](const AnswerWindow& window) {
        const auto violations = violations_of(window);
        return violations.empty() ? std::string() : violations.front();
    };
    EXPECT_NE(first({{}, {passage(0, 20)}, 0, 0, 19}).find("budget"), std::string::npos);
    EXPECT_NE(first({{node(1, 65)}, {}, 0, 0, 9}).find("d7/L1/65"), std::string::npos);
    EXPECT_NE(first({{}, {passage(2099, 2101)}, 0, 0, 9}).find("outside"), std::string::npos);
    EXPECT_NE(first({{node(1, 0)}, {passage(31, 40)}, 0, 0, 99}).find("shares"), std::string::npos);
    EXPECT_NE(first({{}, {passage(39, 45), passage(31, 40)}, 0, 0, 99}).find("shares"),
              std::string::npos);
}

TEST(Background, IsTheCoarsestCoverAroundThePassages) {
    const Passage held[] = {passage(40, 70)};
    const auto nodes = background_of(DocumentShape::of(kDocument, 2100), held, 100);
    // Level 2 node 0 is opened: its children 1 and 2 hold the passage.
    ASSERT_EQ(nodes.size(), 30U + 1U + 1U);
    EXPECT_EQ(nodes[0], node(1, 0));
    EXPECT_EQ(nodes[1], node(1, 3));
    EXPECT_EQ(nodes[30], node(2, 1));
    EXPECT_EQ(nodes[31], node(1, 64));
}

TEST(Background, DropsWhatIsFarthestFromAnyPassageFirst) {
    const Passage held[] = {passage(40, 70)};
    const auto nodes = background_of(DocumentShape::of(kDocument, 2100), held, 2);
    EXPECT_EQ(nodes, (std::vector{node(1, 0), node(1, 3)}));
}

RC_GTEST_PROP(AnswerWindowProperty, BackgroundAndPassagesNeverBreakARule, ()) {
    const auto tokens = *rc::gen::inRange<std::uint64_t>(1, 40'000);
    const auto shape = DocumentShape::of(kDocument, tokens);
    AnswerWindow window;
    std::uint64_t at = *rc::gen::inRange<std::uint64_t>(0, tokens);
    for (int i = 0; i < 3 && at < tokens; ++i) {
        const auto end = std::min(tokens, at + *rc::gen::inRange<std::uint64_t>(1, 100));
        window.passages.push_back(passage(at, end));
        at = end + *rc::gen::inRange<std::uint64_t>(0, 3000);
    }
    const auto room = *rc::gen::inRange<std::size_t>(0, 60);
    window.background = background_of(shape, window.passages, room);
    RC_ASSERT(window.background.size() <= room);
    window.budget_entries = window.cost();
    const DocumentShape shapes[] = {shape};
    RC_ASSERT(answer_window_violations(window, shapes).empty());
}

}  // namespace
}  // namespace mc
