// SPDX-License-Identifier: Apache-2.0
#include "tests/support/word_embedder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace mc {
namespace {

class WordEmbedding : public testing::Test {
  protected:
    std::vector<float> vector_of(const std::string& text) {
        return embedder_.embed(std::vector{text}).value();
    }

    float cosine(const std::string& a, const std::string& b) {
        const auto [x, y] = std::pair(vector_of(a), vector_of(b));
        return std::inner_product(x.begin(), x.end(), y.begin(), 0.0F);
    }

    WordEmbedder embedder_;
};

TEST_F(WordEmbedding, is_of_unit_length_for_any_text) {
    for (const auto* const text : {"", " .,", "one", "one two one", "\xff\xfe", "日本 語"})
        EXPECT_NEAR(cosine(text, text), 1, 1e-5) << text;
}

TEST_F(WordEmbedding, counts_words_not_their_order_or_case) {
    EXPECT_NEAR(cosine("The red house", "house, the RED!"), 1, 1e-5);
    EXPECT_GT(cosine("the red house", "the red boat"), 0.4F);
    EXPECT_LT(std::abs(cosine("alpha beta", "gamma delta")), 0.4F);
}

TEST_F(WordEmbedding, fails_when_told_to) {
    embedder_.fail_after(1);
    EXPECT_TRUE(embedder_.embed(std::vector<std::string>{"a"}));
    const auto failed = embedder_.embed(std::vector<std::string>{"a"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::kModel);
    EXPECT_FALSE(embedder_.embed(std::vector<std::string>{"a"})) << "and goes on failing";
}

}  // namespace
}  // namespace mc
