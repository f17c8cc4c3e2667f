// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/reader_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace mc::runtime {
namespace {

std::string cut_after(std::string_view text, std::uint32_t sentences) {
    AnswerCut cut(sentences);
    return std::string(cut.keep(text));
}

TEST(AnswerCut, EndsWithItsSentence) {
    EXPECT_EQ(cut_after("It was cast in Lisbon. The bell is", 1), "It was cast in Lisbon.");
    EXPECT_EQ(cut_after("He said \"No!\" And then", 1), "He said \"No!\"");
    EXPECT_EQ(cut_after("In 1755.\nQuestion:", 1), "In 1755.");
    EXPECT_EQ(cut_after("Lisbon\nQuestion: where", 1), "Lisbon");
    EXPECT_EQ(cut_after("1755。 It", 1), "1755。");
}

TEST(AnswerCut, APointInsideASentenceEndsNothing) {
    for (const char* text : {"It cost 3.5 pounds to", "Mr. Smith and J. Doe came", "He waits"})
        EXPECT_EQ(cut_after(text, 1), text);
}

TEST(AnswerCut, WhatMayStillGoOnIsKept) {
    EXPECT_EQ(cut_after("It cost 3.", 1), "It cost 3.");
}

TEST(AnswerCut, CountsSentencesAndCanBeSwitchedOff) {
    EXPECT_EQ(cut_after("One is. Two is. Three is.", 2), "One is. Two is.");
    EXPECT_EQ(cut_after("One is. Two is. Three is.", 0), "One is. Two is. Three is.");
}

TEST(AnswerCut, CutsARepetition) {
    AnswerCut cut(0);
    EXPECT_EQ(cut.keep("the keeper of the bell, the keeper of the bell, "),
              "the keeper of the bell, ");
    EXPECT_TRUE(cut.ended_by_loop());
    EXPECT_FALSE(cut.ended_by_sentence());
    AnswerCut other(0);
    EXPECT_EQ(other.keep("a very, very old bell"), "a very, very old bell");
}

// What a listener hears of pieces that are written one after the other, each piece then the whole.
std::string heard_of(const std::vector<std::string>& pieces, std::uint32_t sentences) {
    AnswerCut cut(sentences);
    std::string written;
    std::string heard;
    for (const std::string& piece : pieces) {
        if (cut.ended()) break;
        written += piece;
        const std::string kept(cut.keep(written));
        const std::string_view settled = cut.settled(written);
        EXPECT_TRUE(settled.starts_with(heard)) << heard << "|" << settled;
        EXPECT_TRUE(kept.starts_with(settled)) << settled << "|" << kept;
        heard = settled;
    }
    EXPECT_TRUE(cut.keep(written).starts_with(heard)) << heard << "|" << written;
    return heard;
}

TEST(AnswerCut, NothingIsHeardThatIsTakenBack) {
    EXPECT_EQ(heard_of({"the keeper", " of the bell, ", "the keeper", " of", " the bell, "}, 0),
              "the keeper of the bell, ");
    EXPECT_EQ(heard_of({"the keeper", " of the bell, ", "the keeper", " of", " a boat"}, 0),
              "the keeper of the bell, the keeper of a boa");  // a t stood there before
    EXPECT_EQ(heard_of({"It cost 3", ".", "5 pounds", ".", " The"}, 1), "It cost 3.5 pounds.");
    std::mt19937 random(7);
    const std::vector<std::string> words{"a", "ab ", "b. ", "bell ", "\n", "é", "。", "of the "};
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> pieces;
        for (int i = 0; i < 30; ++i) pieces.push_back(words[random() % (2 + round % 7)]);
        heard_of(pieces, static_cast<std::uint32_t>(round % 3));
    }
}

TEST(AnswerCut, CharactersAreHeardWhole) {
    AnswerCut cut(0);
    const std::string written = "é is a letter, ũ";  // ends with the byte that é ends with
    cut.keep(written);
    EXPECT_EQ(cut.settled(written), "é is a letter, ");
}

TEST(SourcesOf, AreTheTextsThatHoldMostOfTheAnswersOwnWords) {
    const std::vector<std::string> texts{"The bell was cast in Lisbon.", "Porto makes wine.",
                                         "Lisbon is a town; the bell hangs there."};
    EXPECT_EQ(sources_of("The bell was cast in Lisbon.", "Where was the bell cast?", texts),
              (std::vector<std::size_t>{1, 3}));
    EXPECT_EQ(sources_of("In Porto.", "Where?", texts), (std::vector<std::size_t>{2}));
    EXPECT_TRUE(sources_of("In Madrid.", "Where?", texts).empty());
    EXPECT_TRUE(sources_of("", "Where?", {}).empty());
}

TEST(SourcesOf, AreTheTextsThatSayWhatWasAskedWhenTheAnswerSaysNoMore) {
    const std::vector<std::string> texts{"You may charge any price for a copy.",
                                         "Copies are free."};
    EXPECT_EQ(sources_of("Yes, you may charge for a copy.", "May I charge for a copy?", texts),
              (std::vector<std::size_t>{1}));
}

}  // namespace
}  // namespace mc::runtime
