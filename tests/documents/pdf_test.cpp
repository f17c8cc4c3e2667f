// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/pdf.h"

#include <gtest/gtest.h>

#include "documents/converters/converters.h"
#include "tests/documents/pdf_writer.h"

namespace mc::documents {
namespace {

TEST(PdfTest, PagesArePlaces) {
    const auto text = convert_here(
        Kind::kPdf, pdf_of({{"The ferry leaves", "at nine."}, {}, {"It returns at ten."}}), 1000);
    ASSERT_TRUE(text) << text.error().to_string();
    EXPECT_EQ(text->text, "The ferry leaves\nat nine.\n\nIt returns at ten.\n");
    EXPECT_EQ(text->places,
              (std::vector<Place>{{0, "page 1"}, {text->text.find("It returns"), "page 3"}}));
}

TEST(PdfTest, PageNumbersGoAndPartedWordsAreJoined) {
    EXPECT_EQ(clean_page("12\nA sen-\ntence of two\nlines.\n\n\n\nNext.\n- 13 -\n\f"),
              "A sentence of two\nlines.\n\nNext.");
    EXPECT_EQ(clean_page("North-\nSouth"), "North-\nSouth");
    EXPECT_EQ(clean_page("\n\n"), "");
}

TEST(PdfTest, ItemsStandBesideTheirBullets) {
    EXPECT_EQ(clean_page("It has:\n•\n\nA way\nto go.\n\n•\n\nAn end.\n"),
              "It has:\n- A way\nto go.\n- An end.");
}

TEST(PdfTest, LinesThatRunOverThePagesGo) {
    std::vector<std::string> pages{"Title\n\nAlone", "Head\n\na\nFoot", "", "Head\nb\nFoot",
                                   "Head\nc\nFoot"};
    drop_running_lines(pages);
    EXPECT_EQ(pages, (std::vector<std::string>{"Title\n\nAlone", "a", "", "b", "c"}));
    std::vector<std::string> few{"Same\na", "Same\nb"};
    drop_running_lines(few);
    EXPECT_EQ(few[0], "Same\na");
}

TEST(PdfTest, AScanSaysThatItHasNoText) {
    const auto text = convert_here(Kind::kPdf, pdf_of({{}, {}}), 1000);
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message().find("has no text; it may be scanned"), std::string::npos);
}

TEST(PdfTest, APasswordIsNamed) {
    const auto text = convert_here(Kind::kPdf, pdf_of({{"secret"}}, true), 1000);
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message().find("password"), std::string::npos) << text.error().message();
}

TEST(PdfTest, WhatIsNoPdfBehindItsMarkIsAnError) {
    const auto text = convert_here(Kind::kPdf, "%PDF-1.7\nnothing", 1000);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::documents
