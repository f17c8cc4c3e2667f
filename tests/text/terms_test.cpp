// SPDX-License-Identifier: Apache-2.0
// What a text and a question have in common: terms.
#include "text/terms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/rng.h"

namespace mc::text {
namespace {

std::set<std::string> set_of(std::string_view text) {
    const auto terms = text_terms(text);
    return {terms.begin(), terms.end()};
}

// Whether a text that holds each term of the question, or one that begins with it, answers it.
bool answers(std::string_view text, std::string_view question) {
    const auto terms = set_of(text);
    const auto asked = question_terms(question);
    return !asked.empty() && std::all_of(asked.begin(), asked.end(), [&](const QuestionTerm& term) {
        const auto at = terms.lower_bound(term.text);
        if (at == terms.end()) return false;
        return term.prefix ? at->compare(0, term.text.size(), term.text) == 0 : *at == term.text;
    });
}

TEST(TermsTest, CaseDiacriticsFormsAndInflectionDoNotMatter) {
    EXPECT_TRUE(
        answers("A naïve über-driver from Mālaga ate smörgåsbord.", "SMORGASBORD malaga uber"));
    EXPECT_TRUE(answers("e\u0301te\u0301", "été"));
    EXPECT_TRUE(answers("ﬁne ｆｕｌｌ ｶﾀｶﾅ 𝔘𝔫𝔦", "fine full カタカナ uni"));
    EXPECT_TRUE(answers("Straße ŁÓDŹ Ёлка Ὀδυσσεύς", "STRASSE lodz елка οδυσσευς"));
    EXPECT_TRUE(answers("She keeps two tortoises.", "keep tortoise"));
    EXPECT_TRUE(answers("Mara's car, O'Brien, l'eau, don't", "mara o'brien brien eau dont don’t"));
    EXPECT_FALSE(answers("She keeps a tortoise.", "hare"));
}

TEST(TermsTest, ScriptsWithoutSpacesAreFoundByAnyOfTheirCharacters) {
    const std::string text = "博物馆在1800年从青岛的商人手里买下了望远镜";
    for (const std::string question :
         {"望远镜", "青岛", "镜", "博", "买下了", "1800", "馆在1800年"})
        EXPECT_TRUE(answers(text, question)) << question;
    EXPECT_FALSE(answers(text, "拖拉机"));
    EXPECT_TRUE(answers("ธงชาติไทย", "ชาติ"));
    EXPECT_TRUE(answers("東京タワーへ行く", "タワー"));
    EXPECT_TRUE(answers("한국어를 배운다", "한국어"));
    EXPECT_TRUE(answers("🧑🏽‍🚀 astronaut", "🧑"));
}

TEST(TermsTest, AnIdentifierIsItsPartsAndTheirPairs) {
    EXPECT_EQ(set_of("POL-358"), (std::set<std::string>{"pol", "358", "pol\u2010358"}));
    for (const auto& [text, question, other] : std::vector<std::array<std::string, 3>>{
             {"see b9a6442e-9e7d-4b37 there", "b9a6442e-9e7d", "b9a6442e 9e7d"},
             {"version v1.2.3 of it", "v1.2.3", "v1 2 3"},
             {"edit src/tree/cover.cpp now", "cover.cpp", "cover cpp"},
             {"write to mara.quill@example.org", "mara.quill@example.org",
              "mara quill example org"},
             {"ERR_CONN_RESET", "err_conn_reset", "err conn reset"}}) {
        EXPECT_TRUE(answers(text, question)) << text;
        EXPECT_TRUE(answers(text, other)) << text;
        EXPECT_GT(question_terms(question).size(), question_terms(other).size());
    }
    EXPECT_FALSE(answers("pol 358", "POL-358"));
    EXPECT_EQ(set_of("well-known"), (std::set<std::string>{"well", "known"}));
}

TEST(TermsTest, WordsThatOnlyAskWeighLess) {
    const auto terms = question_terms("What is wrong in POL-358?");
    for (const QuestionTerm& term : terms)
        EXPECT_EQ(term.weight < 1, term.text == "what" || term.text == "is" || term.text == "in")
            << term.text;
}

float weight_of(std::string_view question, std::string_view word) {
    for (const QuestionTerm& term : question_terms(question))
        if (term.text == word) return term.weight;
    return 0;
}

TEST(TermsTest, FunctionWordsThatAreWrittenAsNamesWeighAsNames) {
    EXPECT_GT(weight_of("What does Nathan I. Merriweather drink?", "i"), 1);
    EXPECT_GT(weight_of("I. Newton was born where?", "i"), 1);
    EXPECT_GT(weight_of("Which of them is Henrietta A. Rowntree?", "a"), 1);
    EXPECT_GT(weight_of("What does Will keep in the shed?", "will"), 1);
    EXPECT_GT(weight_of("Did it leave the US or the WHO?", "us"), 1);
    EXPECT_GT(weight_of("Did it leave the US or the WHO?", "who"), 1);

    EXPECT_GT(weight_of("Where does Ada live?", "ada"), weight_of("Where does Ada live?", "live"));
    EXPECT_GT(weight_of("Where does little \xC3\x89mile live?", "emil"), 1);
    EXPECT_EQ(weight_of("Where does the cat live?", "cat"), 1);
    EXPECT_LT(weight_of("What did I say about tea?", "i"), 1);
    EXPECT_LT(weight_of("Will Anna come with us?", "will"), 1);
    EXPECT_LT(weight_of("Will Anna come with us?", "us"), 1);
    EXPECT_LT(weight_of("WHAT DID WE SAY TO HIM", "him"), 1);
    EXPECT_LT(weight_of("Is it a cat.", "a"), 1);
}

TEST(TermsTest, AnyBytesGiveTermsOfLettersAndDigitsWithinTheLimit) {
    EXPECT_TRUE(text_terms("").empty());
    EXPECT_TRUE(text_terms(" .,;:!?\"'()[]{}<>|\\/*+-=~^%$#@&`\n\t").empty());
    EXPECT_EQ(text_terms(std::string(100'000, 'a')).front().size(), kTermBytesMax);
    Rng rng(7);
    for (int i = 0; i < 3'000; ++i) {
        std::string text;
        for (std::uint64_t n = rng.below(60); n > 0; --n)
            text.push_back(static_cast<char>(rng.below(2) == 0 ? rng.below(128) : rng.below(256)));
        for (const std::string& term : text_terms(text)) {
            EXPECT_FALSE(term.empty());
            EXPECT_LE(term.size(), kTermBytesMax);
            EXPECT_TRUE(std::all_of(term.begin(), term.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       static_cast<unsigned char>(c) >= 0x80;
            })) << term;
        }
    }
}

}  // namespace
}  // namespace mc::text
