// SPDX-License-Identifier: Apache-2.0
#include "tree/read_window.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/span_math.h"

namespace mc {
namespace {

std::vector<TokenId> window_positions(std::uint64_t begin, std::uint64_t end) {
    std::vector<TokenId> tokens(end - begin);
    std::iota(tokens.begin(), tokens.end(), static_cast<TokenId>(begin));
    return tokens;
}

void expect_window(const ReadWindow& window, TokenSpan read, std::uint64_t fresh_begin) {
    EXPECT_EQ(window.tokens, window_positions(read.begin, read.end));
    EXPECT_EQ(window.context_count, fresh_begin - read.begin);
}

TEST(ReadWindow, AWholeTextIsCutAtMultiplesOf512WithTheContextBeforeThem) {
    const auto windows = read_windows(window_positions(0, 1100), {0, 1088});
    ASSERT_EQ(windows.size(), 3U);
    expect_window(windows[0], {0, 512}, 0);
    expect_window(windows[1], {448, 1024}, 512);
    expect_window(windows[2], {960, 1088}, 1024);
}

// A part's windows are those of the whole: what a block is read with does not know of parts.
TEST(ReadWindow, APartIsReadWithWhatStandsBeforeItInTheText) {
    const auto text = window_positions(0, 4096);
    const auto windows = read_windows(text, {1024, 2048});
    ASSERT_EQ(windows.size(), 2U);
    expect_window(windows[0], {960, 1536}, 1024);
    expect_window(windows[1], {1472, 2048}, 1536);
    const auto middle = read_windows(text, {576, 672});
    ASSERT_EQ(middle.size(), 1U);
    expect_window(middle[0], {448, 672}, 576);
    EXPECT_TRUE(read_windows(text, {64, 64}).empty());
}

TEST(ReadWindow, TheTextMayBeginAtTheFirstTokenThatIsRead) {
    ASSERT_EQ(read_window_begin(1100), 960U);
    expect_window(read_window_at(window_positions(960, 1500), 960, {1088, 1472}), {960, 1472},
                  1088);
}

TEST(ReadWindowDeathTest, AWindowBeyondItsTextIsABug) {
    EXPECT_DEATH(read_window_at(window_positions(0, 100), 0, {0, 128}), "beyond its text");
    EXPECT_DEATH(read_window_at(window_positions(970, 1500), 970, {1088, 1472}), "beyond its text");
    EXPECT_DEATH(read_windows(window_positions(0, 100), {0, 33}), "whole blocks");
}

}  // namespace
}  // namespace mc
