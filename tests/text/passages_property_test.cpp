// SPDX-License-Identifier: Apache-2.0
// The laws of passages on texts made of everything that decides a bound, and on random bytes.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unicode/brkiter.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "text/passages.h"

namespace mc::text {
namespace {

const std::vector<std::string>& parts() {
    static const std::vector<std::string> all = {
        "Mara",      "keeps",
        "a",         "tortoise",
        "Dr.",       "No.",
        "5",         "e.g.",
        "U.S.",      "I",
        "J.",        ".",
        "!",         "?",
        "...",       "\"",
        "“",         "”",
        "(",         ")",
        ",",         ":",
        ";",         " ",
        " ",         " ",
        " ",         " ",
        "  ",        "\t",
        "\n",        "\n",
        "\n\n",      "\r\n",
        "\r",        "- ",
        "1. ",       "POL-7",
        "12:30",     "====",
        "。",        "！",
        "字",        "「",
        "」",        "é",
        "e\u0301",   "👩‍🚀",
        "ไทย",       "한국어",
        "\xff",      "\xe5",
        "\x80",      "{",
        "x = 1;",    "1,2,3",
        "went home", "a line of words that is long enough to be wrapped",
        "Words",     "\u2028",
        "\u00a0",    "—",
        "bob: "};
    return all;
}

rc::Gen<std::string> texts() {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(parts())),
                        [](const std::vector<std::string>& chosen) {
                            std::string text;
                            for (const std::string& part : chosen) text += part;
                            return text;
                        });
}

rc::Gen<TextShape> shapes() {
    return rc::gen::element(TextShape::kAuto, TextShape::kProse, TextShape::kLines);
}

// Random tokens of a text.
std::vector<std::uint16_t> tokens_of(std::string_view text) {
    std::vector<std::uint16_t> sizes;
    for (std::size_t left = text.size(); left > 0;) {
        const auto size = *rc::gen::inRange<std::size_t>(1, std::min<std::size_t>(left, 7) + 1);
        sizes.push_back(static_cast<std::uint16_t>(size));
        left -= size;
    }
    return sizes;
}

TEST(PassagesPropertyTest, PassagesCoverTheTextAndStartAgainAnywhere) {
    EXPECT_TRUE(rc::check("restart", [] {
        const std::string text = *texts();
        const TextShape shape = *shapes();
        const auto ends = passage_ends(text, shape);
        RC_ASSERT(ends.empty() == text.empty());
        if (!ends.empty()) RC_ASSERT(ends.back() == text.size());
        RC_ASSERT(std::is_sorted(ends.begin(), ends.end(), std::less_equal<>()));
        for (std::size_t i = 0; i < ends.size(); ++i) {
            std::vector<std::size_t> rest(ends.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          ends.end());
            for (std::size_t& end : rest) end -= ends[i];
            RC_ASSERT(passage_ends(std::string_view(text).substr(ends[i]), shape) == rest);
        }
    }));
}

TEST(PassagesPropertyTest, WhatIsAppendedChangesTheLastPassageAlone) {
    EXPECT_TRUE(rc::check("growth", [] {
        const std::string text = *texts();
        const TextShape shape = *shapes();
        const auto whole = passage_ends(text, shape);
        for (std::size_t size = 0; size < text.size(); ++size) {
            auto part = passage_ends(std::string_view(text).substr(0, size), shape);
            if (!part.empty()) part.pop_back();
            RC_ASSERT(part.size() <= whole.size());
            RC_ASSERT(std::equal(part.begin(), part.end(), whole.begin()));
        }
    }));
}

TEST(PassagesPropertyTest, BothLawsHoldInTokensAndTheLimitIsKept) {
    EXPECT_TRUE(rc::check("tokens", [] {
        const std::string text = *texts();
        const TextShape shape = *shapes();
        const auto sizes = tokens_of(text);
        const auto limit = *rc::gen::inRange<std::uint64_t>(1, 40);
        const auto whole = passage_tokens(text, sizes, limit, shape);
        std::uint64_t next = 0;
        for (const TokenSpan span : whole) {
            RC_ASSERT(span.begin == next);
            RC_ASSERT(!span.empty() && span.count() <= limit);
            next = span.end;
        }
        RC_ASSERT(next == sizes.size());
        std::size_t byte = 0;
        std::size_t passage = 0;
        for (std::size_t token = 0; token < sizes.size(); byte += sizes[token++]) {
            // Grown to here: all but the last passage stay.
            auto grown = passage_tokens(std::string_view(text).substr(0, byte),
                                        std::span(sizes).first(token), limit, shape);
            if (!grown.empty()) grown.pop_back();
            RC_ASSERT(grown.size() <= whole.size() &&
                      std::equal(grown.begin(), grown.end(), whole.begin()));
            if (passage == whole.size() || whole[passage].begin != token) continue;
            auto again = passage_tokens(std::string_view(text).substr(byte),
                                        std::span(sizes).subspan(token), limit, shape);
            for (TokenSpan& span : again) span = {span.begin + token, span.end + token};
            RC_ASSERT(std::equal(again.begin(), again.end(),
                                 whole.begin() + static_cast<std::ptrdiff_t>(passage),
                                 whole.end()));
            ++passage;
        }
    }));
}

TEST(PassagesPropertyTest, SentencesOfPlainProseAreThoseOfIcu) {
    const std::vector<std::string> words = {"Mara",  "keeps",    "tortoise", "3.5",    "5",
                                            "Bruno", "“indeed”", "(so)",     "house,", "naïve"};
    EXPECT_TRUE(rc::check("ICU", [&] {
        std::string text;
        for (const auto& sentence : *rc::gen::resize(
                 12,
                 rc::gen::container<std::vector<std::vector<std::string>>>(
                     rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(words))))) {
            text += "Then ";
            for (const std::string& word : sentence) text += word + " ";
            text += "slept" +
                    *rc::gen::element<std::string>(".", "!", "?", "...", ".”", "!)", "?!") + " ";
        }
        text += "And that is all.";
        RC_ASSERT(text.size() < kPassageBytesMax);
        UErrorCode status = U_ZERO_ERROR;
        const std::unique_ptr<icu::BreakIterator> rules(
            icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
        RC_ASSERT(U_SUCCESS(status));
        const icu::UnicodeString units = icu::UnicodeString::fromUTF8(text);
        rules->setText(units);
        std::vector<std::size_t> expected;
        for (auto at = rules->next(); at != icu::BreakIterator::DONE; at = rules->next()) {
            std::string before;
            units.tempSubString(0, at).toUTF8String(before);
            expected.push_back(before.size());
        }
        RC_ASSERT(passage_ends(text, TextShape::kProse) == expected);
    }));
}

}  // namespace
}  // namespace mc::text
