// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "documents/converters/converters.h"

namespace mc::documents {
namespace {

using std::string_literals::operator""s;

ConvertedText page_text(std::string_view html) {
    auto result = convert_here(Kind::kHtml, html, 1 << 20);
    EXPECT_TRUE(result) << html;
    return result ? *result : ConvertedText{};
}

std::string text_of(std::string_view html) {
    return page_text(html).text;
}

TEST(HtmlTest, TheReaderSeesWordsAndNothingOfThePage) {
    EXPECT_EQ(text_of("<!doctype html><html><head><title>Ferry</title><style>p{}</style></head>"
                      "<body><nav><a href=/>Home</a></nav><script>alert('x')</script>"
                      "<h1>The ferry</h1><p>It leaves at <b>ni</b>ne &amp; returns\n at ten.</p>"
                      "<p hidden>not this</p><p style='display: none'>nor this</p>"
                      "<footer>Imprint</footer></body></html>"),
              "The ferry\n\nIt leaves at nine & returns at ten.\n");
}

TEST(HtmlTest, TheMainPartIsTakenAlone) {
    EXPECT_EQ(text_of("<body><div>Menu</div><main><p>Words.</p><aside>A note.</aside></main>"
                      "<div>More from us</div>"),
              "Words.\n\nA note.\n");
}

TEST(HtmlTest, ListsTablesAndCodeKeepTheirLines) {
    EXPECT_EQ(text_of("<p>a</p><ul><li>one<li><p>two</p><ol><li>x<li>y</ol></ul><p>b"),
              "a\n\n- one\n- two\n1. x\n2. y\n\nb\n");
    EXPECT_EQ(text_of("<table><tr><th>Port<th>Time<tr><td>Oban<td><p>9:00</p></table>"),
              "| Port | Time |\n| Oban | 9:00 |\n");
    EXPECT_EQ(text_of("<table><tr><td><h2>Left</h2><p>a</td><td><p>b</td></tr></table>"),
              "Left\n\na\n\nb\n");
    EXPECT_EQ(text_of("<pre>if (a)\n    b();\n</pre>c"), "if (a)\n    b();\n\nc\n");
    EXPECT_EQ(text_of("<p>one<br>two"), "one\ntwo\n");
}

TEST(HtmlTest, HeadingsAreLinesAndPlaces) {
    const ConvertedText page = page_text(
        "<title>Rules</title><p>First.</p><h2>Terms</h2><p>Second.</p><h3>Of  use</h3><p>Third.");
    EXPECT_EQ(page.text, "Rules\n\nFirst.\n\nTerms\n\nSecond.\n\nOf use\n\nThird.\n");
    ASSERT_EQ(page.places.size(), 3U);
    EXPECT_EQ(page.places[0], (Place{0, "Rules"}));
    EXPECT_EQ(page.places[2], (Place{page.text.find("Of use"), "Rules › Terms › Of use"}));
}

TEST(HtmlTest, EncodingsAreReadAsBrowsersDo) {
    EXPECT_EQ(text_of("<html><p>Stra\xc3\x9f"
                      "e"),
              "Straße\n");
    EXPECT_EQ(text_of("<html><meta charset='iso-8859-1'><p>Stra\xdf"
                      "e \x93x\x94"),
              "Straße “x”\n");
    EXPECT_EQ(text_of("<html><p>Stra\xdf"
                      "e"),
              "Straße\n");
    EXPECT_EQ(text_of("<html><meta charset=koi8-r><p>\xd4\xc5\xcb\xd3\xd4"), "текст\n");
    EXPECT_EQ(text_of("\xff\xfe<\0p\0>\0\xe4\0"s), "ä\n");
}

TEST(HtmlTest, NoDepthOfNestingIsTooDeep) {
    std::string html = "<html><body>";
    for (int i = 0; i < 20'000; ++i) html += "<div>";
    EXPECT_EQ(text_of(html + "deep"), "deep\n");
}

TEST(HtmlTest, APageOfScriptsIsAnErrorThatSaysWhatToDo) {
    for (const char* html : {"<html><title>App</title><div id=root></div><script>1</script>",
                             "<html>", "<!doctype html>"}) {
        const auto result = convert_here(Kind::kHtml, html, 1 << 20);
        ASSERT_FALSE(result) << html;
        EXPECT_EQ(result.error().code(), ErrorCode::kInvalidInput);
    }
}

TEST(HtmlTest, NothingOutsideIsLoaded) {
    EXPECT_EQ(text_of("<!DOCTYPE html [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><p>a &e; b</p>")
                  .find("hostname"),
              std::string::npos);
}

}  // namespace
}  // namespace mc::documents
