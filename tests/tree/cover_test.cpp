// SPDX-License-Identifier: Apache-2.0
#include "tree/cover.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace mc {
namespace {

TEST(CoarsestCover, OfNothingIsEmpty) {
    EXPECT_TRUE(coarsest_cover({}, 0).empty());
    EXPECT_TRUE(coarsest_cover({70, 70}, 64).empty());
}

TEST(CoarsestCover, ClimbsToTheHighestNodeAndDownAgain) {
    const std::vector<CoverPiece> expected = {{Level(0), {1000, 1024}},
                                              {Level(2), {1024, 2048}},
                                              {Level(1), {2048, 2080}},
                                              {Level(0), {2080, 2090}}};
    EXPECT_EQ(coarsest_cover({1000, 2090}, 2080), expected);
}

TEST(CoarsestCover, LeavesTokensWithoutGistsRawBlockByBlock) {
    const std::vector<CoverPiece> expected = {
        {Level(0), {10, 32}}, {Level(0), {32, 64}}, {Level(0), {64, 70}}};
    EXPECT_EQ(coarsest_cover({10, 70}, 0), expected);
}

TEST(CoarsestCover, CoversOnceInOrderAndNoPieceCouldBeHigher) {
    Rng rng(20260310);
    for (int round = 0; round < 5'000; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        const std::uint64_t end = rng.below(1ULL << (1 + rng.below(20)));
        const TokenSpan span{rng.below(end + 1), end};
        const std::uint64_t gist_end = tail_begin(rng.below(end + 100));
        std::uint64_t covered = span.begin;
        for (const CoverPiece& piece : coarsest_cover(span, gist_end)) {
            ASSERT_EQ(piece.span.begin, covered);
            ASSERT_LT(piece.span.begin, piece.span.end);
            covered = piece.span.end;
            const Level above(piece.level.value + 1);
            const TokenSpan parent = span_of(above, node_holding(piece.span.begin, above));
            ASSERT_FALSE(span.contains(parent) && parent.end <= gist_end);
            if (piece.level == Level(0)) {
                ASSERT_LE(piece.span.end, tail_begin(piece.span.begin) + kBlockSize);
            } else {
                ASSERT_EQ(piece.span,
                          span_of(piece.level, node_holding(piece.span.begin, piece.level)));
                ASSERT_LE(piece.span.end, gist_end);
            }
        }
        ASSERT_EQ(covered, span.end);
    }
}

}  // namespace
}  // namespace mc
