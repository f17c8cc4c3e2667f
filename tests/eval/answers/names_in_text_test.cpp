// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/names_in_text.h"

#include <gtest/gtest.h>

namespace mc::eval {
namespace {

TEST(WordsIn, AreRunsOfLettersOrDigitsAndKnowWhetherTheyBeginASentence) {
    const auto words = words_in("He saw Bert. \"Then go,\" said 42.");
    ASSERT_EQ(words.size(), 7U);
    EXPECT_TRUE(words[0].starts_sentence);
    EXPECT_EQ(words[2].text, "Bert");
    EXPECT_EQ(words[2].begin, 7U);
    EXPECT_FALSE(words[2].starts_sentence);
    EXPECT_TRUE(words[3].starts_sentence);  // "Then
    EXPECT_EQ(words[6].text, "42");
}

TEST(WordsIn, LeaveOutWhatTouchesOtherScripts) {
    for (const std::string text : {"René", "don't", "half-hour"})
        EXPECT_TRUE(words_in(text).empty()) << text;
}

TEST(NamesOf, AreCapitalisedInsideSentencesAndNeverSmall) {
    const auto names =
        names_of("The river ran. A man, Albert, saw the River and Albert saw Bert. Then I sat.");
    EXPECT_EQ(names.size(), 2U);
    EXPECT_EQ(names.at("Albert"), 2U);
    EXPECT_TRUE(names.contains("Bert"));
}

TEST(SmallWordsOf, AreFiveLettersOrMore) {
    const auto words = small_words_of("the horse and the horse, Horse, cats");
    EXPECT_EQ(words.size(), 1U);
    EXPECT_EQ(words.at("horse"), 2U);
}

TEST(IsNumber, TwoDigitsOrMore) {
    EXPECT_TRUE(is_number("42"));
    EXPECT_FALSE(is_number("4"));
    EXPECT_FALSE(is_number("4th"));
}

}  // namespace
}  // namespace mc::eval
