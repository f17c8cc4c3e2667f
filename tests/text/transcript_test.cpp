// SPDX-License-Identifier: Apache-2.0
#include "text/transcript.h"

#include <gtest/gtest.h>

#include "text/passages.h"

namespace mc::text {
namespace {

std::string transcript(const std::vector<Turn>& turns) {
    std::string text;
    for (const Turn& turn : turns) text += transcript_of(turn);
    return text;
}

std::vector<Turn> read_back(std::string_view text, bool at_line_begin = true) {
    std::vector<Turn> turns;
    for (const PlacedTurn& one : last_turns(text, at_line_begin)) turns.push_back(one.turn);
    return turns;
}

TEST(Transcript, a_turn_is_two_messages_with_labels) {
    EXPECT_EQ(transcript_of({"Where is the lantern?", "In the boat house."}),
              "User: Where is the lantern?\n\nAssistant: In the boat house.\n\n");
}

TEST(Transcript, every_message_comes_back_exactly) {
    const std::vector<Turn> turns = {
        {"hello", "Hi."},
        {"", ""},
        {"two\nlines\n", "\n\nthree\n\n\n"},
        {"User: quoted", "Assistant: quoted"},
        {"a\nUser: b\n\nAssistant: c\n\n", "x\n\\User: y\n\\\\Assistant: z\nUser:none"},
        {"café \xff", "- a\n- b\n\n1. c"},
    };
    EXPECT_EQ(read_back(transcript(turns)), turns);
}

TEST(Transcript, turns_say_where_they_stand) {
    const Turn first{"a", "b\nUser: c"};
    const Turn second{"d", "e"};
    const std::string text = transcript({first, second});
    const auto turns = last_turns(text, true);
    ASSERT_EQ(turns.size(), 2U);
    EXPECT_EQ(turns[0].begin, 0U);
    EXPECT_EQ(turns[0].end, transcript_of(first).size());
    EXPECT_EQ(turns[1].begin, turns[0].end);
    EXPECT_EQ(turns[1].end, text.size());
}

// Wherever the end of a transcript is cut off, only whole turns are seen.
TEST(Transcript, a_turn_that_begins_before_the_text_is_left_out) {
    const std::vector<Turn> turns = {{"one\nUser: x", "two"}, {"three", "four"}, {"five", "six"}};
    const std::string text = transcript(turns);
    const std::vector<PlacedTurn> placed = last_turns(text, true);
    for (std::size_t at = 1; at < text.size(); ++at) {
        const auto seen = read_back(std::string_view(text).substr(at), text[at - 1] == '\n');
        std::vector<Turn> expected;
        for (const PlacedTurn& one : placed)
            if (one.begin >= at) expected.push_back(one.turn);
        EXPECT_EQ(seen, expected) << "from byte " << at;
    }
}

TEST(Transcript, a_message_is_a_passage) {
    const std::string first = "User: My sister Ann lives in Oslo\n\n";
    const std::string second = "Assistant: How nice! I have never been there.\n\n";
    const std::string text = first + second;
    EXPECT_EQ(passage_ends(text), (std::vector<std::size_t>{first.size(), text.size()}));
}

}  // namespace
}  // namespace mc::text
