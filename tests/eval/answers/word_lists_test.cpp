// SPDX-License-Identifier: Apache-2.0
// Laws of the words and patterns that questions are made of.
#include "eval/answers/word_lists.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace mc::eval {
namespace {

// Words that a fact and its question may share: they name nothing.
const std::set<std::string> kCommon{"the", "a",    "an",    "of",    "in",   "at",    "to",  "is",
                                    "who", "what", "which", "did",   "does", "was",   "by",  "on",
                                    "for", "with", "and",   "that",  "how",  "where", "one", "man",
                                    "all", "has",  "into",  "under", "who"};

// Lower case, without an ending, so that "plays" meets "play".
std::set<std::string> content_words(std::string text) {
    for (char& c : text)
        c = std::isalpha(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(c)) : ' ';
    std::set<std::string> out;
    std::istringstream in(text);
    for (std::string word; in >> word;) {
        if (kCommon.contains(word) || word.size() < 2) continue;
        for (const std::string_view ending : {"ing", "es", "ed", "er", "s"})
            if (word.size() > ending.size() + 2 && word.ends_with(ending)) {
                word.erase(word.size() - ending.size());
                break;
            }
        out.insert(word);
    }
    return out;
}

std::string shared_word(const std::string& one, const std::string& other) {
    const std::set<std::string> words = content_words(one);
    for (const std::string& word : content_words(other))
        if (words.contains(word)) return word;
    return "";
}

TEST(WordLists, TheTwoDescriptionsOfAPersonShareNoWord) {
    ASSERT_GT(subjects().size(), 60U);
    for (const Subject& subject : subjects())
        EXPECT_EQ(shared_word(subject.in_fact, subject.in_question), "") << subject.in_fact;
}

TEST(WordLists, AFactAndItsQuestionShareNoWord) {
    ASSERT_GT(relations().size(), 20U);
    for (const Relation& relation : relations())
        EXPECT_EQ(shared_word(relation.fact, relation.question), "") << relation.name;
}

TEST(WordLists, EveryRelationHasItsSlotsAndValues) {
    for (const Relation& relation : relations()) {
        EXPECT_GE(words(relation.list).size(), 4U) << relation.name;
        EXPECT_NE(relation.fact.find("{s}"), std::string::npos) << relation.name;
        EXPECT_NE(relation.fact.find("{v}"), std::string::npos) << relation.name;
        EXPECT_NE(relation.question.find("{t}"), std::string::npos) << relation.name;
        EXPECT_EQ(relation.question.find("{v}"), std::string::npos) << relation.name;
        EXPECT_EQ(relation.lead.find("{v}"), std::string::npos) << relation.name;
    }
}

// The candidates of a lead that ends in "a" must all go on from it.
TEST(WordLists, NoValueNeedsAnotherArticleThanItsLeadHas) {
    for (const Relation& relation : relations()) {
        if (!relation.lead.ends_with(" a")) continue;
        for (const std::string& value : words(relation.list))
            EXPECT_EQ(std::string("aeiouAEIOU").find(value[0]), std::string::npos)
                << relation.name << ": " << value;
    }
}

TEST(WordLists, NoListHasAWordTwice) {
    for (const char* list : {"city", "given", "surname", "adjective", "thing", "drink"}) {
        const std::set<std::string> unique(words(list).begin(), words(list).end());
        EXPECT_EQ(unique.size(), words(list).size()) << list;
    }
}

TEST(WordLists, ASlotIsFilledWithItsArticle) {
    EXPECT_EQ(fill_slot("a {v}, the {v}", "v", "owl"), "an owl, the owl");
    EXPECT_EQ(fill_slot("A {v}", "v", "owl"), "An owl");
    EXPECT_EQ(fill_slot("a {v}", "v", "bat"), "a bat");
    EXPECT_EQ(fill_slot("a {v} and {s}", "s", "x"), "a {v} and x");
    EXPECT_EQ(capitalised("the owl"), "The owl");
}

}  // namespace
}  // namespace mc::eval
