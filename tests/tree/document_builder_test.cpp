// SPDX-License-Identifier: Apache-2.0
#include "tree/document_builder.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/tree_fixture.h"

namespace mc {
namespace {

// Token t at position t: a window's tokens then show which positions it reads.
std::vector<TokenId> positions(std::uint64_t begin, std::uint64_t end) {
    std::vector<TokenId> tokens(end - begin);
    std::iota(tokens.begin(), tokens.end(), static_cast<TokenId>(begin));
    return tokens;
}

void expect_window(const ReadWindow& window, std::uint64_t context_begin, std::uint64_t new_begin,
                   std::uint64_t end) {
    EXPECT_EQ(window.tokens, positions(context_begin, end));
    EXPECT_EQ(window.context_count, new_begin - context_begin);
}

class DocumentBuilderTest : public testing::Test {
  protected:
    MemoryNodeStore store_;
    FakeEncoder encoder_;
    GrowingDocument document_{store_, encoder_, "book"};
};

TEST_F(DocumentBuilderTest, ReadsFiveHundredTwelveNewTokensAfterSixtyFour) {
    ASSERT_TRUE(document_.append(positions(0, 1100)));
    const auto& windows = encoder_.last_windows();
    ASSERT_EQ(windows.size(), 3u);
    expect_window(windows[0], 0, 0, 512);
    expect_window(windows[1], 448, 512, 1024);
    expect_window(windows[2], 960, 1024, 1088);
}

TEST_F(DocumentBuilderTest, ReadsThePartOfAWindowThatHasGistsAsContext) {
    ASSERT_TRUE(document_.append(positions(0, 600)));
    ASSERT_TRUE(document_.append(positions(600, 700)));
    const auto& windows = encoder_.last_windows();
    ASSERT_EQ(windows.size(), 1u);
    expect_window(windows[0], 448, 576, 672);
}

TEST_F(DocumentBuilderTest, ReadsNoWindowUntilABlockIsFull) {
    ASSERT_TRUE(document_.append(positions(0, 31)));
    EXPECT_TRUE(encoder_.last_windows().empty());
    ASSERT_TRUE(document_.append(positions(31, 32)));
    EXPECT_EQ(encoder_.last_windows().size(), 1u);
}

TEST_F(DocumentBuilderTest, HandsTheEncoderAtMostSixteenWindowsAtOnce) {
    ASSERT_TRUE(document_.append(positions(0, 17 * 512)));
    ASSERT_EQ(encoder_.last_windows().size(), 1u);
    expect_window(encoder_.last_windows()[0], 16 * 512 - 64, 16 * 512, 17 * 512);
}

TEST_F(DocumentBuilderTest, GivesGistsLevelByLevelInOrder) {
    auto builder = *DocumentBuilder::resume(store_, document_.record(), encoder_, false);
    const auto made = *builder->append(positions(0, 32 * 1024));
    ASSERT_EQ(made.size(), 1024u + 32u + 1u);
    for (std::size_t i = 0; i < made.size(); ++i) {
        const NodeId expected = i < 1024   ? NodeId{document_.id(), Level(1), NodeIndex(i)}
                                : i < 1056 ? NodeId{document_.id(), Level(2), NodeIndex(i - 1024)}
                                           : NodeId{document_.id(), Level(3), NodeIndex(0)};
        ASSERT_EQ(made[i].node, expected);
    }
}

TEST_F(DocumentBuilderTest, FillsStatisticsOnlyWhenAsked) {
    GrowingDocument measured(store_, encoder_, "measured", true);
    ASSERT_TRUE(measured.append(positions(0, 1024)));
    ASSERT_TRUE(document_.append(positions(0, 1024)));
    for (const Level level : {Level(1), Level(2)}) {
        const auto with = *store_.find_gists(measured.id(), level, NodeIndex(0));
        const auto without = *store_.find_gists(document_.id(), level, NodeIndex(0));
        EXPECT_GE(with->gists[0].statistics.mean_nll, 0);
        EXPECT_TRUE(std::isnan(without->gists[0].statistics.mean_nll));
    }
}

TEST_F(DocumentBuilderTest, AppendingNothingGivesNothing) {
    ASSERT_TRUE(document_.append({}));
    EXPECT_EQ(document_.record().token_count, 0u);
}

TEST_F(DocumentBuilderTest, AnEncoderThatFailsLeavesTheStoreReadyToGoOn) {
    ASSERT_TRUE(document_.append(positions(0, 1000)));
    encoder_.fail_after(0);
    const auto refused = document_.append(positions(1000, 2000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kModel);
    encoder_.fail_after(1'000);
    document_.resume();
    ASSERT_TRUE(document_.append(positions(1000, 2000)));

    MemoryNodeStore other;
    GrowingDocument at_once(other, encoder_, "book");
    ASSERT_TRUE(at_once.append(positions(0, 2000)));
    EXPECT_EQ(store_.find_gists(document_.id(), Level(1), NodeIndex(1)).value()->gists.back().kv,
              other.find_gists(at_once.id(), Level(1), NodeIndex(1)).value()->gists.back().kv);
}

TEST_F(DocumentBuilderTest, ResumeRefusesAStoreWhoseGistsDoNotMatchTheLength) {
    ASSERT_TRUE(document_.append(positions(0, 100)));
    store_.content(document_.id()).groups.at({Level(1), NodeIndex(0)}).gists.pop_back();
    const auto refused = DocumentBuilder::resume(store_, document_.record(), encoder_, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(refused.error().message().find("d1/L2/0"), std::string::npos);
}

TEST_F(DocumentBuilderTest, RefusesToGrowBeyondTheLimitAndTakesNothing) {
    DocumentRecord record = document_.record();
    record.token_count = 0;
    auto builder = *DocumentBuilder::resume(store_, record, encoder_, false);
    // A span of that length without the memory: only its size is looked at before it is refused.
    const TokenId token = 0;
    const std::span<const TokenId> endless(&token, kDocumentTokensMax);
    const auto refused = builder->append(endless);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(builder->token_count(), 0u);
}

}  // namespace
}  // namespace mc
