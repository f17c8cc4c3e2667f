// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "core/span_math.h"
#include "core/utf8.h"

namespace mc::apps {
namespace {

TEST(Text, CountsHaveThousandsSeparators) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1000), "1,000");
    EXPECT_EQ(format_count(1234567), "1,234,567");
}

TEST(Text, BytesChangeUnitWhereTheShownNumberWould) {
    EXPECT_EQ(format_bytes(999), "999 B");
    EXPECT_EQ(format_bytes(35149), "35.1 kB");
    EXPECT_EQ(format_bytes(999'949), "999.9 kB");
    EXPECT_EQ(format_bytes(999'950), "1.0 MB");
}

TEST(Text, ANumberThatIsMissingIsADash) {
    EXPECT_EQ(format_number(std::nan("")), "-");
    EXPECT_EQ(format_number(0.25), "0.25");
}

TEST(Text, TimesAreUtc) {
    EXPECT_EQ(format_time(1'700'000'000'000'000), "2023-11-14 22:13:20Z");
}

TEST(Text, PrintableTextHoldsNothingThatATerminalActsOn) {
    EXPECT_EQ(printable("a\x1b[31mb\r\x07\x7f"), "a\uFFFD[31mb\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(printable("\xC2\x9B"), "\uFFFD") << "C1 control sequence introducer";
    EXPECT_EQ(printable("tab\tline\n"), "tab\tline\n");
    EXPECT_EQ(printable("\xFFé"), "\uFFFDé");
}

RC_GTEST_PROP(Text, AnyBytesBecomePrintableUtf8, (const std::string& bytes)) {
    const std::string shown = printable(bytes);
    RC_ASSERT(!find_invalid_utf8(shown).has_value());
    for (const char c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        RC_ASSERT(byte >= 0x20 || c == '\n' || c == '\t');
        RC_ASSERT(byte != 0x7F);
    }
}

RC_GTEST_PROP(Text, AnExcerptIsOneLineOfAtMostItsColumns, (const std::string& bytes)) {
    const std::size_t columns = *rc::gen::inRange<std::size_t>(1, 40);
    const std::string line = excerpt(bytes, columns);
    RC_ASSERT(width_of(line) <= columns);
    RC_ASSERT(line.find('\n') == std::string::npos);
    RC_ASSERT(!find_invalid_utf8(line).has_value());
}

TEST(Text, AnExcerptSaysThatItWasCut) {
    EXPECT_EQ(excerpt("one  two\nthree", 40), "one two three");
    EXPECT_EQ(excerpt("one two three", 7), "one tw…");
}

TEST(Text, WrappingKeepsEveryWordAndEveryLineBreak) {
    EXPECT_EQ(wrapped("one two three\n\nfour", "  ", 8), "  one two\n  three\n\n  four");
    EXPECT_EQ(wrapped("unbreakable", "", 4), "unbreakable");
    EXPECT_EQ(wrapped("", "  ", 8), "");
}

TEST(Text, RangesAreHalfOpenWithEitherEndOpen) {
    EXPECT_EQ(parse_range("3:9")->begin, 3U);
    EXPECT_EQ(parse_range("3:9")->end, 9U);
    EXPECT_EQ(parse_range("3:")->end, std::nullopt);
    EXPECT_EQ(parse_range(":9")->begin, 0U);
    EXPECT_TRUE(parse_range("5:5").has_value());
    for (const char* wrong :
         {"", "3", "9:3", "a:b", "-1:3", "1:2:3", "1: 2", "99999999999999999999:"}) {
        const auto range = parse_range(wrong);
        ASSERT_FALSE(range.has_value()) << wrong;
        EXPECT_EQ(range.error().code(), ErrorCode::kUsage);
    }
}

TEST(Text, NodesReadAsTheyPrint) {
    const NodeId node{DocumentId(7), Level(2), NodeIndex(13)};
    ASSERT_TRUE(parse_node("d7/L2/13").has_value());
    EXPECT_EQ(*parse_node("d7/L2/13"), node);
    EXPECT_EQ(*parse_node(to_string(node)), node);
    for (const char* wrong :
         {"", "d7", "d7/L2", "7/L2/13", "d7/2/13", "d7/L0/1", "d7/L13/0", "d7/L2/x", "d/L2/1",
          "d7/L1/99999999999999999999", "d7//1", "d7/L12/1", "d7/L1/1/"})
        EXPECT_FALSE(parse_node(wrong).has_value()) << wrong;
}

RC_GTEST_PROP(Text, EveryNodeOfALegalDocumentReadsBack, ()) {
    const auto level = Level(*rc::gen::inRange<std::uint8_t>(1, 9));
    const std::uint64_t nodes = node_count(kDocumentTokensMax, level);
    const NodeId node{DocumentId(*rc::gen::arbitrary<std::uint64_t>()), level,
                      NodeIndex(*rc::gen::inRange<std::uint64_t>(0, nodes))};
    const auto read = parse_node(to_string(node));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == node);
}

}  // namespace
}  // namespace mc::apps
