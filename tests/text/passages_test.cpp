// SPDX-License-Identifier: Apache-2.0
// Where passages of texts that are easy to cut wrongly begin and end.
#include "text/passages.h"

#include <gtest/gtest.h>

#include <ctime>
#include <numeric>
#include <string>
#include <vector>

namespace mc::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces(std::string_view text, TextShape shape = TextShape::kAuto) {
    Pieces all;
    std::size_t begin = 0;
    for (const std::size_t end : passage_ends(text, shape)) {
        all.emplace_back(text.substr(begin, end - begin));
        begin = end;
    }
    EXPECT_EQ(begin, text.size());
    return all;
}

TEST(PassagesTest, ASentenceIsAPassageWithTheSpaceBehindIt) {
    EXPECT_EQ(pieces(""), Pieces{});
    EXPECT_EQ(pieces("x"), Pieces{"x"});
    EXPECT_EQ(pieces("Mara keeps a tortoise. It is called Bruno, and it sleeps a lot. Who knew? "
                     "The whole village did! So there, and that is all there is to say of it."),
              (Pieces{"Mara keeps a tortoise. ", "It is called Bruno, and it sleeps a lot. ",
                      "Who knew? ", "The whole village did! ",
                      "So there, and that is all there is to say of it."}));
}

TEST(PassagesTest, AbbreviationsInitialsAndNumbersEndNoSentence) {
    for (
        const std::string sentence :
        {"Dr. Quill met Mr. Smith and Mrs. Smith near St. Anne's at some time last week. ",
         "They live at No. 5, as noted in Vol. 3 and on p. 12 of the register that they keep. ",
         "He read J. R. R. Tolkien and W. H. Auden in the U.S. Army, e.g. during the long nights. ",
         "Nathan I. Merriweather and Henrietta I. Rowntree drink tea whenever they are asked to. ",
         "It costs 3.50 dollars with v1.2.3 of the program, see www.example.org for the file.txt. ",
         "At 5 p.m. the bell rang, etc. and so on (cf. Smith vs. Jones), which nobody had asked. ",
         "Wait... there is more to it, said the Rev. Brown to the man who had come so far. "})
        EXPECT_EQ(
            pieces(sentence + "Then all of it ended, which was to be expected of such things."),
            (Pieces{sentence, "Then all of it ended, which was to be expected of such things."}))
            << sentence;
    EXPECT_EQ(pieces("It was I. He went away and did not come back until the next year had begun, "
                     "at least not here. No. He did, as everybody in it knows."),
              (Pieces{"It was I. ",
                      "He went away and did not come back until the next year had begun, at least "
                      "not here. ",
                      "No. ", "He did, as everybody in it knows."}));
}

TEST(PassagesTest, QuotesBelongToTheSentenceThatTheyClose) {
    EXPECT_EQ(pieces("\"Is it far?\" he asked. \"No!\" she said. \"Yes.\" Then they left without a "
                     "word to anybody in the house."),
              (Pieces{"\"Is it far?\" he asked. ", "\"No!\" she said. ", "\"Yes.\" ",
                      "Then they left without a word to anybody in the house."}));
    EXPECT_EQ(pieces("“Perhaps,” she said, rather haughtily. “I cannot tell (or can I?) to what "
                     "level I may sink.” Celia blushed."),
              (Pieces{"“Perhaps,” she said, rather haughtily. ",
                      "“I cannot tell (or can I?) to what level I may sink.” ", "Celia blushed."}));
}

TEST(PassagesTest, MarksOfOtherScriptsNeedNoSpace) {
    EXPECT_EQ(
        pieces(
            "博物馆买下了钢琴。现在它放在二楼！“好吗？”他说。「はい。」と言って、みんな帰った。"),
        (Pieces{"博物馆买下了钢琴。", "现在它放在二楼！", "“好吗？”", "他说。", "「はい。」",
                "と言って、みんな帰った。"}));
    EXPECT_EQ(pieces("यह पहला वाक्य है। यह दूसरा है।"), (Pieces{"यह पहला वाक्य है। ", "यह दूसरा है।"}));
}

TEST(PassagesTest, WrappedLinesAreOneSentenceAndBlankLinesEndOne) {
    const std::string wrapped =
        "This paragraph is wrapped at some column as mail programs do, and he met\n"
        "John Smith on the way. He\nwent home with Mr.\nSmith and then\nthey slept.\n\nNext one\n";
    EXPECT_EQ(pieces(wrapped),
              (Pieces{"This paragraph is wrapped at some column as mail programs do, and he met\n"
                      "John Smith on the way. ",
                      "He\nwent home with Mr.\nSmith and then\nthey slept.\n\n", "Next one\n"}));
    EXPECT_EQ(pieces("CHAPTER I\n\nIt was dark.\r\n\r\nTitle\n=====\nText of it.\n* * *\nMore.\n"),
              (Pieces{"CHAPTER I\n\n", "It was dark.\r\n\r\n", "Title\n=====\n",
                      "Text of it.\n* * *\n", "More.\n"}));
    EXPECT_EQ(pieces("A line of its own without a mark\nAnother Title\nand the third\n"),
              (Pieces{"A line of its own without a mark\n", "Another Title\nand the third\n"}));
}

TEST(PassagesTest, ItemsMessagesAndRecordsAreLines) {
    for (const Pieces& lines :
         {Pieces{"- milk\n", "- eggs. Two dozen.\n", "* bread\n", "• salt\n", "1. First one\n",
                 "2) Second. Of two.\n"},
          Pieces{"alice: hi there\n", "bob: yes. I am\n", "[12:30] carol: ok. Good.\n",
                 "<dave> me too. Bye\n"},
          Pieces{"POL-340: the upload shows a blank screen. Owner: Mara.\n",
                 "POL-341: the audit trail is slow. Owner: Oskar.\n"},
          Pieces{"2024-01-01 12:00:00 INFO server started. Port 80.\n",
                 "2024-01-01 12:00:01 WARN disk is full\n"},
          Pieces{"id,name,value,and,some,more\n", "1,foo,2,a longer value,1,2\n",
                 "2,bar,3,another value. Or two,1,2\n"},
          Pieces{"hey\n", "you there?\n", "yes\n", "ok. good\n"},
          Pieces{"int main(int argc, char** argv) {\n", "    return f(x[0], y->z);\n}\n\n",
                 "void g(std::vector<int>& values) {\n"}}) {
        std::string text;
        for (const std::string& line : lines) text += line;
        EXPECT_EQ(pieces(text), lines);
    }
}

TEST(PassagesTest, ShapesThatTheCallerKnowsAreKept) {
    EXPECT_EQ(pieces("One. Two.\nthree\n\nfour", TextShape::kLines),
              (Pieces{"One. Two.\n", "three\n\n", "four"}));
    EXPECT_EQ(pieces("POL-3: one. Two.\nPOL-4: three.", TextShape::kProse),
              (Pieces{"POL-3: one. ", "Two.\n", "POL-4: three."}));
}

TEST(PassagesTest, ALongSentenceIsCutAfterAClauseOrASpace) {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "lorem" + std::string(i % 20 == 0 ? ", " : " ");
    const Pieces all = pieces(text);
    ASSERT_GE(all.size(), 2u);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        EXPECT_LE(all[i].size(), kPassageBytesMax);
        EXPECT_EQ(all[i].substr(all[i].size() - 2), ", ");
    }
    for (const std::string& piece : pieces(std::string(100'000, 'a')))
        EXPECT_LE(piece.size(), kPassageBytesMax);
    std::string wide;
    for (int i = 0; i < 5'000; ++i) wide += "字";
    for (const std::string& piece : pieces(wide)) EXPECT_EQ(piece.size() % 3, 0u);
}

TEST(PassagesTest, ATokenBelongsToThePassageThatHoldsItsLastByte) {
    const std::string text = "Mara sleeps. He wakes.\n\n";
    const std::vector<std::uint16_t> sizes = {4, 7, 1, 3, 6, 1, 2};  // "Mara" " sleeps" "." " He" …
    EXPECT_EQ(passage_tokens(text, sizes, 255), (std::vector<TokenSpan>{{0, 3}, {3, 7}}));
    EXPECT_EQ(passage_tokens(text, sizes, 2),
              (std::vector<TokenSpan>{{0, 2}, {2, 4}, {4, 6}, {6, 7}}));
    EXPECT_TRUE(passage_tokens("", {}, 255).empty());
}

TEST(PassagesTest, ACutFallsInsideACharacterOnlyWhereTokensLeaveNoChoice) {
    std::string text;
    std::vector<std::uint16_t> sizes;
    for (int i = 0; i < 100; ++i) {
        text += "字";
        sizes.insert(sizes.end(), {1, 2});
    }
    for (const TokenSpan span : passage_tokens(text, sizes, 31)) {
        EXPECT_EQ(span.begin % 2, 0u);
        EXPECT_LE(span.count(), 31u);
    }
    EXPECT_EQ(passage_tokens(text, sizes, 1).size(), 200u);
}

TEST(PassagesTest, TimeIsLinearInTheText) {
    const auto seconds = [](const std::string& unit, std::size_t bytes) {
        std::string text;
        while (text.size() < bytes) text += unit;
        const std::clock_t begin = std::clock();  // of the processor: others may keep us waiting
        EXPECT_FALSE(passage_ends(text).empty());
        return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    };
    for (const std::string unit : {"12,name,some value,3.5,x\n", "a", "\n", " ", ".", "a. 1 ", "\"",
                                   "A\n", "- a\n", "( ", "。", "\xff", "a: ", "1-"})
        EXPECT_LT(seconds(unit, 1 << 20), 64 * seconds(unit, 1 << 16) + .1) << unit;
}

}  // namespace
}  // namespace mc::text
