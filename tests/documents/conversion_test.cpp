// SPDX-License-Identifier: Apache-2.0
// Documents through the process that converts them: its answers, its limits, its end.
#include "documents/conversion.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mc::documents {
namespace {

ConversionLimits limits() {
    ConversionLimits all;
    all.text_bytes_max = 1 << 20;
    return all;
}

void expect_error(const Result<ConvertedText>& converted, ErrorCode code, const std::string& part) {
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().code(), code);
    EXPECT_NE(converted.error().to_string().find(part), std::string::npos)
        << converted.error().to_string();
}

TEST(ConversionTest, APageComesBackAsTextWithPlaces) {
    const auto page = convert(Kind::kHtml, "<html><h1>Title</h1><p>Wörds.</p>", "a.html", limits());
    ASSERT_TRUE(page) << page.error().to_string();
    EXPECT_EQ(page->text, "Title\n\nWörds.\n");
    EXPECT_EQ(page->places, (std::vector<Place>{{0, "Title"}}));
}

TEST(ConversionTest, WhatTheConverterSaysIsTheError) {
    expect_error(convert(Kind::kHtml, "<html>", "a.html", limits()), ErrorCode::kInvalidInput,
                 "cannot take in a.html as HTML: it has no text");
}

TEST(ConversionTest, MoreTextThanTheLimitIsAnError) {
    ConversionLimits small = limits();
    small.text_bytes_max = 100;
    expect_error(convert(Kind::kHtml, "<html>" + std::string(1000, 'a'), "a.html", small),
                 ErrorCode::kInvalidInput, "more than 100 bytes of text");
}

// Megabytes of page that take seconds and many times their size to read.
std::string large_page() {
    std::string html = "<html>";
    while (html.size() < (32U << 20)) html += "<p>a<b>c</b>d<i>e</i>";
    return html;
}

TEST(ConversionTest, TimeIsBounded) {
    ConversionLimits bounded = limits();
    bounded.text_bytes_max = 1 << 30;
    bounded.memory_bytes_max = std::uint64_t{8} << 30;
    bounded.seconds_max = 1;
    expect_error(convert(Kind::kHtml, large_page(), "a.html", bounded), ErrorCode::kInvalidInput,
                 "takes more than 1 s");
}

#ifndef __SANITIZE_ADDRESS__  // under which the converter does without this bound
TEST(ConversionTest, MemoryIsBounded) {
    ConversionLimits bounded = limits();
    bounded.text_bytes_max = 1 << 30;
    bounded.memory_bytes_max = 64 << 20;
    const auto converted = convert(Kind::kHtml, large_page(), "a.html", bounded);
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().code(), ErrorCode::kInvalidInput);
}
#endif

TEST(ConversionTest, AnInterruptEndsIt) {
    const std::atomic<bool> cancelled = true;
    ConversionLimits interrupted = limits();
    interrupted.cancelled = &cancelled;
    expect_error(convert(Kind::kHtml, "<p>a", "a.html", interrupted), ErrorCode::kCancelled, "");
}

TEST(FrameTest, WhatIsWrittenIsRead) {
    const ConvertedText text{"ab\ncd", {{0, "page 1"}, {3, "page \"2\""}}};
    EXPECT_EQ(*decode_frame(encode_frame(text)), text);
    const auto error = decode_frame(encode_frame(fail(ErrorCode::kInvalidInput, "it is empty")));
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.error().message(), "it is empty");
}

TEST(FrameTest, WhatBreaksTheRulesIsRefused) {
    for (const char* frame :
         {"", "{}", "{}\n", "[]\n", "{\"text_bytes\":2,\"places\":[]}\na",
          "{\"text_bytes\":1,\"places\":[[1]]}\na", "{\"text_bytes\":1,\"places\":[[1,\"\"]]}\na",
          "{\"text_bytes\":1,\"places\":[[1,\"x\"],[1,\"y\"]]}\na",
          "{\"text_bytes\":1,\"places\":{}}\na", "{\"text_bytes\":1,\"places\":[]}\n\xff",
          "{\"text_bytes\":-1,\"places\":[]}\n"}) {
        const auto decoded = decode_frame(frame);
        ASSERT_FALSE(decoded) << frame;
        EXPECT_EQ(decoded.error().code(), ErrorCode::kIo) << frame;
    }
}

RC_GTEST_PROP(FrameProperty, EveryCutIsNoticed, ()) {
    const std::string frame = encode_frame(ConvertedText{"some text", {{0, "page 1"}}});
    const auto size = *rc::gen::inRange<std::size_t>(0, frame.size());
    RC_ASSERT(!decode_frame(frame.substr(0, size)));
}

}  // namespace
}  // namespace mc::documents
