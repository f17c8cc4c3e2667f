// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/window_strip.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::apps {
namespace {

constexpr DocumentId kDocument{3};

Window window_of(std::uint64_t token_count, std::uint64_t budget) {
    WindowSpec spec;
    spec.selections.push_back({DocumentShape::of(kDocument, token_count), {0, token_count}});
    spec.budget_entries = budget;
    auto window = Window::make_coarsest(std::move(spec));
    MC_CHECK(window.has_value(), "the budget of this test holds the document");
    return std::move(*window);
}

TEST(WindowStrip, AShortDocumentIsRaw) {
    const Window window = window_of(5, 8);
    EXPECT_EQ(level_strip(window, window.selections()[0], 72, false), "_____");
    EXPECT_EQ(level_strip(window, window.selections()[0], 72, true), "▁▁▁▁▁");
}

TEST(WindowStrip, EachStretchShowsItsFinestLevel) {
    // Two nodes of level 2, then 16 blocks of level 1: 2,048 + 512 tokens in 5 cells of 512.
    Window window = window_of(2560, 1024);
    EXPECT_EQ(level_strip(window, window.selections()[0], 5, false), "22221");
    const NodeId second{kDocument, Level(2), NodeIndex(1)};
    ASSERT_TRUE(window.apply(Edit{Edit::Kind::kExpand, second}).has_value());
    EXPECT_EQ(level_strip(window, window.selections()[0], 5, false), "22111");
    const NodeId block{kDocument, Level(1), NodeIndex(32)};
    ASSERT_TRUE(window.apply(Edit{Edit::Kind::kExpand, block}).has_value());
    EXPECT_EQ(level_strip(window, window.selections()[0], 5, false), "22_11");
}

TEST(WindowStrip, EntriesByLevelAddUpToTheCost) {
    Window window = window_of(2560 + 7, 1024);
    const NodeId first{kDocument, Level(2), NodeIndex(0)};
    ASSERT_TRUE(window.apply(Edit{Edit::Kind::kExpand, first}).has_value());
    const auto counts = entries_by_level(window, kDocument);
    EXPECT_EQ(counts.at(0), 7U);
    EXPECT_EQ(counts.at(1), 32U + 16U);
    EXPECT_EQ(counts.at(2), 1U);
    std::uint64_t sum = 0;
    for (const auto& [level, count] : counts) sum += count;
    EXPECT_EQ(sum, window.cost());
    EXPECT_TRUE(entries_by_level(window, DocumentId(4)).empty());
}

}  // namespace
}  // namespace mc::apps
