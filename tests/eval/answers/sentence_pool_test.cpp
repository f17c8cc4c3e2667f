// SPDX-License-Identifier: Apache-2.0
// Laws of cutting the user's documents into sentences.
#include "eval/answers/sentence_pool.h"

#include <gtest/gtest.h>

#include "tests/eval/answers/item_fixture.h"

namespace mc::eval {
namespace {

std::vector<std::string> texts_of(std::string_view text) {
    std::vector<std::string> texts;
    for (const Sentence& sentence : split_sentences(text)) texts.push_back(sentence.text);
    return texts;
}

using Texts = std::vector<std::string>;

TEST(Sentences, EndAtStopsBeforeASpaceAndAtParagraphs) {
    EXPECT_EQ(texts_of("One. Two! Three?\n\nA title\n\nFour"),
              (Texts{"\n\nOne.", " Two!", " Three?", "\n\nA title", "\n\nFour"}));
}

TEST(Sentences, KeepClosingQuotesAndNumbers) {
    EXPECT_EQ(texts_of("\"Go.\" He paid 3.50 for it."),
              (Texts{"\n\n\"Go.\"", " He paid 3.50 for it."}));
}

TEST(Sentences, LineBreaksInsideThemBecomeSpaces) {
    EXPECT_EQ(texts_of("One\nline  more.\nTwo."), (Texts{"\n\nOne line more.", " Two."}));
    EXPECT_EQ(texts_of(" \r\n\r\n "), Texts{});
}

TEST(Sentences, BareIsTheSentenceAlone) {
    EXPECT_EQ(split_sentences("One. Two.")[1].bare(), "Two.");
}

TEST(Sentences, LongOnesAreLeftOutAndAPoolWithoutAnyIsRefused) {
    const auto tokenizer = lm::test::make_toy_tokenizer();
    const TestFolder folder;
    const Path book = folder.write("book.txt", "Short. " + std::string(400, 'q') + ". End.");
    const auto pool = read_sentences(std::vector{book}, *tokenizer);
    ASSERT_TRUE(pool) << pool.error().to_string();
    ASSERT_EQ(pool->sentences.size(), 2U);
    EXPECT_EQ(pool->sentences[1].text, " End.");
    EXPECT_EQ(pool->sentences[1].tokens, tokenizer->encode(" End.").size());
    EXPECT_EQ(pool->sentences[1].first_tokens, tokenizer->encode("End.").size());
    const Path blank = folder.write("blank.txt", "\n\n");
    EXPECT_EQ(read_sentences(std::vector{blank}, *tokenizer).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(read_sentences(std::vector<Path>{"missing.txt"}, *tokenizer).error().code(),
              ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::eval
