// SPDX-License-Identifier: Apache-2.0
// Laws of questions made by rules and of search scores.
#include "gistnet/search/search_questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "gistnet/search/search_scores.h"

namespace mc::gistnet::test {
namespace {

constexpr std::string_view kText =
    "rn the stubborn captain whispered something about a harpoon to the frightened sailors beh";
constexpr std::array<std::string_view, 1> kForm = {"Where are {}?"};

WordCounts counts_of_common_words() {
    WordCounts counts;
    for (int i = 0; i < 9; ++i) counts.add("Captain whispered; sailors FRIGHTENED.");
    return counts;
}

std::vector<std::string> content(const std::string& question) {
    std::vector<std::string> words = split_words(question);
    std::erase_if(words,
                  [](const std::string& w) { return w == "Where" || w == "are" || w == "and"; });
    return words;
}

TEST(SearchQuestions, words_are_letters_and_bytes_beyond_ascii) {
    EXPECT_EQ(split_words("a-b 12 c\xc3\xa9_d"),
              (std::vector<std::string>{"a", "b", "c\xc3\xa9", "d"}));
    EXPECT_EQ(split_words("\xe2\x80\x9cOh\xe2\x80\x94the day\xe2\x80\x99s"),
              (std::vector<std::string>{"Oh", "the", "day", "s"}));
    EXPECT_TRUE(split_words("12 34 \xe2\x80\x9d").empty());
}

TEST(SearchQuestions, a_question_has_three_to_five_content_words_of_the_text_and_no_cut_ones) {
    const WordCounts counts = counts_of_common_words();
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Rng rng(seed);
        const auto question = make_question(kText, counts, {kForm}, rng);
        ASSERT_TRUE(question);
        const auto words = content(*question);
        EXPECT_GE(words.size(), 3U);
        EXPECT_LE(words.size(), 5U);
        for (const std::string& word : words) {
            EXPECT_NE(kText.find(word), std::string_view::npos) << word;
            EXPECT_TRUE(word != "about" && word != "something" && word != "beh") << word;
        }
    }
}

TEST(SearchQuestions, rare_words_are_asked_for_first) {
    const WordCounts counts = counts_of_common_words();
    int harpoons = 0;
    int sailors = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Rng rng(seed);
        const std::string question = *make_question(kText, counts, {kForm}, rng);
        harpoons += question.find("harpoon") != std::string::npos ? 1 : 0;
        sailors += question.find("sailors") != std::string::npos ? 1 : 0;
    }
    EXPECT_GT(harpoons, sailors + 40);
}

TEST(SearchQuestions, some_words_are_replaced_by_their_synonyms) {
    const std::unordered_map<std::string, std::string> synonyms = {{"stubborn", "obstinate"},
                                                                   {"harpoon", "spear"}};
    int replaced = 0;
    int kept = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Rng rng(seed);
        const std::string question =
            *make_question(kText, counts_of_common_words(), {kForm, &synonyms}, rng);
        replaced += question.find("spear") != std::string::npos ? 1 : 0;
        kept += question.find("harpoon") != std::string::npos ? 1 : 0;
    }
    EXPECT_GT(replaced, 20);
    EXPECT_GT(kept, 20);
}

TEST(SearchQuestions, a_text_of_few_content_words_gives_none) {
    Rng rng(1);
    EXPECT_FALSE(make_question("he said that there was a captain over there", WordCounts(),
                               training_questions(), rng));
    EXPECT_FALSE(make_question("", WordCounts(), training_questions(), rng));
}

TEST(SearchQuestions, the_same_seed_gives_the_same_question) {
    Rng a(7);
    Rng b(7);
    EXPECT_EQ(make_question(kText, WordCounts(), training_questions(), a),
              make_question(kText, WordCounts(), training_questions(), b));
}

TEST(SearchScores, count_what_was_found_within_the_first_ranks) {
    const std::array<std::uint32_t, 5> ranks = {1, 5, 20, 21, 0};
    const SearchScores scores = score_ranks(ranks);
    EXPECT_EQ(scores.searches, 5U);
    EXPECT_DOUBLE_EQ(scores.recall_at_1, 0.2);
    EXPECT_DOUBLE_EQ(scores.recall_at_5, 0.4);
    EXPECT_NEAR(scores.recall_at_20, 0.6, 1e-12);
    EXPECT_NEAR(scores.reciprocal_rank, (1 + 1 / 5.0 + 1 / 20.0 + 1 / 21.0) / 5, 1e-12);
    EXPECT_EQ(score_ranks({}).searches, 0U);
}

}  // namespace
}  // namespace mc::gistnet::test
