// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/overlap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/rng.h"

namespace mc::eval {
namespace {

std::vector<TokenId> random_tokens(std::size_t count, std::uint64_t vocabulary,
                                   std::uint64_t seed) {
    Rng rng(seed);
    std::vector<TokenId> tokens(count);
    for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(vocabulary));
    return tokens;
}

// Distinct n-grams of one that occur in another, by looking at them.
std::size_t shared_by_looking(std::span<const TokenId> one, std::span<const TokenId> other) {
    const auto grams = [](std::span<const TokenId> tokens) {
        std::set<std::vector<TokenId>> result;
        for (std::size_t t = 0; t + kOverlapGram <= tokens.size(); ++t) {
            const auto gram = tokens.subspan(t, kOverlapGram);
            result.insert({gram.begin(), gram.end()});
        }
        return result;
    };
    const auto held = grams(other);
    std::size_t count = 0;
    for (const auto& gram : grams(one)) count += held.contains(gram) ? 1 : 0;
    return count;
}

TEST(Overlap, CountsWhatAPlainSearchCounts) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        // Few different tokens and long repeats, so that grams recur within and across documents.
        std::vector<TokenId> one = random_tokens(400, 3, seed);
        std::vector<TokenId> other = random_tokens(300, 3, seed + 100);
        Rng rng(seed);
        const auto length = static_cast<std::ptrdiff_t>(40 + rng.below(100));
        const auto from = static_cast<std::ptrdiff_t>(rng.below(200));
        other.insert(other.begin() + 50, one.begin() + from, one.begin() + from + length);
        one.insert(one.end(), one.begin() + 10, one.begin() + 90);
        GramIndex index(one);
        index.mark(other);
        EXPECT_EQ(index.shared_count(), shared_by_looking(one, other)) << "seed " << seed;
        EXPECT_EQ(index.gram_count(), shared_by_looking(one, one)) << "seed " << seed;
    }
}

TEST(Overlap, FortyNineTokensInCommonAreNone) {
    const auto one = random_tokens(1000, 50000, 1);
    for (const std::size_t length : {49U, 50U, 51U}) {
        GramIndex index(one);
        index.mark(std::span(one).subspan(300, length));
        EXPECT_EQ(index.shared_count(), length - 49);
    }
}

TEST(Overlap, SeveralDocumentsTogetherCountEveryRunOnce) {
    const auto one = random_tokens(1000, 50000, 1);
    GramIndex index(one);
    index.mark(std::span(one).subspan(0, 100));   // runs 0 to 50
    index.mark(std::span(one).subspan(40, 100));  // runs 40 to 90
    EXPECT_EQ(index.shared_count(), 91U);
}

TEST(Overlap, TheOrderOfTokensMatters) {
    const auto one = random_tokens(1000, 50000, 1);
    std::vector<TokenId> backwards(one.rbegin(), one.rend());
    GramIndex index(one);
    index.mark(backwards);
    EXPECT_EQ(index.shared_count(), 0U);
}

TEST(Overlap, DocumentsWithoutARunShareNothing) {
    const auto tokens = random_tokens(49, 10, 1);
    GramIndex index(tokens);
    index.mark(tokens);
    EXPECT_EQ(index.gram_count(), 0U);
    EXPECT_EQ((TrainOverlap{"d", index.gram_count(), index.shared_count()}).share(), 0.0);
}

}  // namespace
}  // namespace mc::eval
