// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/text_builder.h"

#include <gtest/gtest.h>

namespace mc::documents {
namespace {

TEST(TextBuilderTest, WhiteSpaceIsOneSpaceAndBlocksStandApart) {
    TextBuilder builder(1000);
    builder.text("  One \n two\u00a0three");
    builder.text(" four\u00ad");
    builder.end_line();
    builder.text("five");
    builder.end_paragraph();
    builder.end_line();
    builder.text("six");
    EXPECT_EQ(builder.finish()->text, "One two three four\nfive\n\nsix\n");
}

TEST(TextBuilderTest, HeadingsMakePathsAndPlaces) {
    TextBuilder builder(1000);
    const auto heading = [&](int level, std::string_view text) {
        builder.begin_heading(level);
        builder.text(text);
        builder.end_heading();
    };
    heading(1, "Part");
    builder.text("a");
    heading(2, "Chapter");
    builder.text("b");
    heading(2, "");
    heading(1, "Rest");
    builder.text("c");
    const ConvertedText converted = *builder.finish();
    EXPECT_EQ(converted.text, "Part\n\na\n\nChapter\n\nb\n\nRest\n\nc\n");
    EXPECT_EQ(converted.places,
              (std::vector<Place>{{0, "Part"},
                                  {converted.text.find("Chapter"), "Part › Chapter"},
                                  {converted.text.find("Rest"), "Rest"}}));
}

TEST(TextBuilderTest, ARowIsALineAndAnEmptyRowIsNone) {
    TextBuilder builder(1000);
    builder.text("before");
    builder.begin_row();
    builder.begin_cell();
    builder.begin_cell();
    builder.end_row();
    builder.begin_row();
    builder.begin_cell();
    builder.text("a");
    builder.end_paragraph();
    builder.begin_cell();
    builder.begin_cell();
    builder.text("c");
    builder.end_row();
    builder.text("after");
    EXPECT_EQ(builder.finish()->text, "before\n| a | | c |\nafter\n");
}

TEST(TextBuilderTest, MoreThanFitsIsAnError) {
    TextBuilder builder(10);
    builder.text("one two three");
    EXPECT_TRUE(builder.is_full());
    const auto converted = builder.finish();
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().code(), ErrorCode::kInvalidInput);
}

TEST(MarkdownTest, HeadingsArePlacesOutsideOfCode) {
    const std::string text =
        "# Notes #\nwords\n```\n# no heading\n```\n## Terms\n#nor this\n####### nor this\n# "
        "Rest\n#\n";
    EXPECT_EQ(markdown_places(text), (std::vector<Place>{{0, "Notes"},
                                                         {text.find("## Terms"), "Notes › Terms"},
                                                         {text.find("# Rest"), "Rest"}}));
    EXPECT_TRUE(is_markdown("a/b.md"));
    EXPECT_FALSE(is_markdown("md"));
}

TEST(TextBuilderTest, LabelsAreShortAndCutBetweenCharacters) {
    std::string name;
    for (int i = 0; i < 100; ++i) name += "ä";
    const std::string label = short_label(name);
    EXPECT_LE(label.size(), 90U);
    EXPECT_TRUE(label.ends_with("ä…"));
    EXPECT_EQ(short_label(" a \n b "), "a b");
}

}  // namespace
}  // namespace mc::documents
