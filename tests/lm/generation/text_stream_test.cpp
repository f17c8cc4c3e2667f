// SPDX-License-Identifier: Apache-2.0
#include "lm/generation/text_stream.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace mc::lm::test {
namespace {

// The definition, byte by byte: the text before the stop string that is complete first.
std::string before_stop(const std::string& bytes, const std::vector<std::string>& stops) {
    for (std::size_t end = 1; end <= bytes.size(); ++end) {
        std::size_t longest = 0;
        for (const std::string& stop : stops)
            if (std::string_view(bytes).substr(0, end).ends_with(stop))
                longest = std::max(longest, stop.size());
        if (longest > 0) return bytes.substr(0, end - longest);
    }
    return bytes;
}

// From few letters, so that stop strings overlap, with a two- and a three-byte character.
rc::Gen<std::string> small_text(std::size_t size_max) {
    const auto letters =
        rc::gen::elementOf(std::vector<std::string>{"a", "b", "\xc3\xa9", "\xe4\xbd\xa0", "\xff"});
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, size_max), [=](std::size_t count) {
        return rc::gen::map(rc::gen::container<std::vector<std::string>>(count, letters),
                            [](const std::vector<std::string>& parts) {
                                std::string text;
                                for (const std::string& part : parts) text += part;
                                return text;
                            });
    });
}

RC_GTEST_PROP(TextStream, gives_the_text_before_the_first_stop_however_it_is_cut, ()) {
    const std::string bytes = *small_text(30);
    auto stops = *rc::gen::container<std::vector<std::string>>(small_text(4));
    std::erase(stops, "");
    TextStream stream(stops);
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto size = *rc::gen::inRange<std::size_t>(1, 6);
        text += stream.push(std::string_view(bytes).substr(at, size));
        at += size;
    }
    text += stream.finish();
    const std::string expected = before_stop(bytes, stops);
    RC_ASSERT(text == expected);
    RC_ASSERT(stream.stopped() == (expected.size() < bytes.size()));
}

TEST(TextStream, holds_back_what_may_begin_a_stop_string_and_no_more) {
    TextStream stream({"\n\nQ:", "END"});
    EXPECT_EQ(stream.push("one\n"), "one");
    EXPECT_EQ(stream.push("\n"), "");
    EXPECT_EQ(stream.push("two"), "\n\ntwo");
    EXPECT_EQ(stream.push(" E"), " ");
    EXPECT_EQ(stream.push("N"), "");
    EXPECT_EQ(stream.push("EN"), "EN");
    EXPECT_EQ(stream.push("D of it"), "");
    EXPECT_TRUE(stream.stopped());
    EXPECT_EQ(stream.push("more"), "");
    EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, waits_for_the_rest_of_a_character) {
    TextStream stream({});
    EXPECT_EQ(stream.push("a\xe4"), "a");
    EXPECT_EQ(stream.push("\xbd"), "");
    EXPECT_EQ(stream.push("\xa0z\xc3"), "\xe4\xbd\xa0z");
    EXPECT_EQ(stream.finish(), "\xc3");
}

}  // namespace
}  // namespace mc::lm::test
