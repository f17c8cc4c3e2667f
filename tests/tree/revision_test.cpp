// SPDX-License-Identifier: Apache-2.0
// The laws of a revision: it spells the changed text, and no gist of it has read anything else.
#include "tree/revision.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/tree_fixture.h"
#include "tree/read_window.h"

namespace mc {
namespace {

constexpr std::uint64_t kRevisionSeed = 20261130;
constexpr TokenId kBlank = 50'000;

using Tokens = std::vector<TokenId>;

Tokens spelled(Tokens tokens) {
    std::erase(tokens, kBlank);
    return tokens;
}

// Some stretches go, some come, some are moved to the end.
Tokens edited(Rng& rng, Tokens tokens, int edits) {
    for (int i = 0; i < edits; ++i) {
        const auto at = tokens.begin() + static_cast<std::ptrdiff_t>(rng.below(tokens.size() + 1));
        const auto size = static_cast<std::ptrdiff_t>(
            std::min<std::uint64_t>(rng.below(100), static_cast<std::uint64_t>(tokens.end() - at)));
        const Tokens cut(at, at + size);
        const auto behind = tokens.erase(at, at + size);
        if (rng.below(3) == 0) tokens.insert(tokens.end(), cut.begin(), cut.end());
        const Tokens fresh = random_tokens(rng, rng.below(100));
        if (rng.below(3) > 0) tokens.insert(behind, fresh.begin(), fresh.end());
    }
    return tokens;
}

// All that the gist of a block of the old document may have read stands before its new place.
void expect_nothing_else_read(const Tokens& old_tokens, const Revision& revision) {
    for (std::size_t block = 0; block < revision.same_as.size(); ++block) {
        if (!revision.same_as[block]) continue;
        const std::uint64_t old_end = (*revision.same_as[block] + 1) * kBlockSize;
        const std::uint64_t end = (block + 1) * kBlockSize;
        const std::uint64_t count = std::min(old_end, kReadBeforeBlock + kBlockSize);
        ASSERT_GE(end, count);
        ASSERT_TRUE(std::equal(old_tokens.begin() + static_cast<std::ptrdiff_t>(old_end - count),
                               old_tokens.begin() + static_cast<std::ptrdiff_t>(old_end),
                               revision.tokens.begin() + static_cast<std::ptrdiff_t>(end - count)))
            << "block " << block;
    }
}

TEST(RevisionLaws, SpellsTheChangedTextAndKeepsOnlyWhatHasReadNothingElse) {
    Rng rng(kRevisionSeed);
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        // Of few different tokens now and then: blocks that stand in many places.
        Tokens tokens = random_tokens(rng, rng.below(20'000));
        if (rng.below(4) == 0)
            for (TokenId& token : tokens) token %= 2;
        // Revisions of revisions hold blank tokens in the old text too.
        for (int edits = 0; edits < 3; ++edits) {
            const Tokens changed = edited(rng, spelled(tokens), static_cast<int>(rng.below(6)));
            const Revision revision = revise(tokens, changed, kBlank);
            ASSERT_EQ(spelled(revision.tokens), changed);
            ASSERT_EQ(revision.same_as.size(), revision.tokens.size() / kBlockSize);
            expect_nothing_else_read(tokens, revision);
            tokens = revision.tokens;
        }
    }
}

TEST(RevisionLaws, AnUnchangedTextIsKeptWhole) {
    Rng rng(kRevisionSeed);
    const Tokens tokens = random_tokens(rng, 5000);
    const Revision revision = revise(tokens, tokens, kBlank);
    EXPECT_EQ(revision.tokens, tokens);
    EXPECT_EQ(revision.kept_blocks, 5000U / kBlockSize);
}

TEST(RevisionLaws, AHundredthChangedInFewPlacesMakesLessThanATenthAnew) {
    Rng rng(kRevisionSeed);
    const Tokens tokens = random_tokens(rng, 250'000);
    Tokens changed = tokens;
    for (int i = 0; i < 20; ++i) {
        const auto at = changed.begin() + static_cast<std::ptrdiff_t>(rng.below(changed.size()));
        const Tokens fresh = random_tokens(rng, 125);
        changed.insert(at, fresh.begin(), fresh.end());
    }
    const Revision revision = revise(tokens, changed, kBlank);
    EXPECT_GT(revision.kept_blocks * kBlockSize * 10, changed.size() * 9);
    EXPECT_LT(revision.tokens.size() - changed.size(), 20U * kBlockSize);
}

TEST(RevisionLaws, EditAfterEditInOnePlaceAddsNoBlankTokens) {
    Rng rng(kRevisionSeed);
    Tokens tokens = random_tokens(rng, 10'000);
    for (int i = 0; i < 50; ++i) {
        Tokens changed = spelled(tokens);
        changed[5000] = static_cast<TokenId>(i);
        tokens = revise(tokens, changed, kBlank).tokens;
        ASSERT_LT(tokens.size() - changed.size(), 2U * kBlockSize);
    }
}

class RevisionEncoderTest : public testing::Test {
  protected:
    RevisionEncoderTest() {
        Rng rng(kRevisionSeed);
        old_tokens_ = random_tokens(rng, 6000);
        EXPECT_TRUE(old_.append(old_tokens_));
        Tokens changed = old_tokens_;
        changed.insert(changed.begin() + 3000, {1, 2, 3});
        revision_ = revise(old_tokens_, changed, kBlank);
    }

    // The gists of level 1 that a builder makes with an encoder.
    std::vector<Gist> built_with(GistEncoder& encoder, std::size_t chunk) {
        const auto builder = DocumentBuilder::begin(encoder, false);
        std::vector<Gist> gists;
        for (std::size_t at = 0; at < revision_.tokens.size(); at += chunk) {
            const std::size_t count = std::min(chunk, revision_.tokens.size() - at);
            auto made = *builder->append(std::span(revision_.tokens).subspan(at, count));
            for (NewGist& one : made)
                if (one.node.level == Level(1)) gists.push_back(std::move(one.gist));
        }
        return gists;
    }

    MemoryNodeStore store_;
    FakeEncoder encoder_;
    GrowingDocument old_{store_, encoder_, "old"};
    Tokens old_tokens_;
    Revision revision_;
};

TEST_F(RevisionEncoderTest, GivesKeptGistsAndHasTheRestMade) {
    FakeEncoder plain;
    const auto fresh = built_with(plain, 6100);
    for (const std::size_t chunk : {6100U, 4096U, 700U}) {
        RevisionEncoder reviser(encoder_, store_, old_.id(), revision_);
        const auto gists = built_with(reviser, chunk);
        ASSERT_EQ(gists.size(), revision_.same_as.size());
        std::uint64_t taken = 0;
        for (std::size_t block = 0; block < gists.size(); ++block) {
            const auto old = revision_.same_as[block];
            const bool is_made = gists[block].kv == fresh[block].kv;
            const auto group =
                *store_.find_gists(old_.id(), Level(1), NodeIndex(old.value_or(0) / kBlockSize));
            const bool is_kept = old && gists[block].kv == group->gists[*old % kBlockSize].kv;
            ASSERT_TRUE(is_made || is_kept) << block;
            taken += is_kept ? 1 : 0;
        }
        EXPECT_GE(reviser.blocks_taken(), 128U);
        EXPECT_LE(reviser.blocks_taken(), taken);
    }
}

TEST_F(RevisionEncoderTest, WhatIsWantedWithStatisticsIsMadeWhereThereAreNone) {
    RevisionEncoder reviser(encoder_, store_, old_.id(), revision_);
    const auto builder = DocumentBuilder::begin(reviser, true);
    const auto all = builder->append(revision_.tokens);
    ASSERT_TRUE(all);
    for (const NewGist& made : *all) ASSERT_FALSE(std::isnan(made.gist.statistics.mean_nll));
    EXPECT_EQ(reviser.blocks_taken(), 0U);
}

}  // namespace
}  // namespace mc
