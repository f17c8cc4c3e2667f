// SPDX-License-Identifier: Apache-2.0
// Laws of the fusion of hits: shares of the best, weights, and what scores without merit do.
#include "working_context/hit_fusion.h"

#include <gtest/gtest.h>

#include <vector>

namespace mc {
namespace {

NodeId block(std::uint64_t index) {
    return {DocumentId(1), Level(1), NodeIndex(index)};
}

using Hits = std::vector<SearchHit>;

TEST(HitFusion, AListsBestHasTheWholeWeightAndTheOthersTheirShare) {
    const Hits words = {{block(0), 20.0f}, {block(1), 5.0f}};
    const Hits vectors = {{block(1), 0.8f}, {block(2), 0.4f}};
    const WeightedHits lists[] = {{words, 1}, {vectors, 0.5}};
    const FusedScores scores = fuse_hits(lists);
    ASSERT_EQ(scores.size(), 3u);
    EXPECT_DOUBLE_EQ(scores.at(block(0)), 1);
    EXPECT_DOUBLE_EQ(scores.at(block(1)), 0.25 + 0.5);
    EXPECT_DOUBLE_EQ(scores.at(block(2)), 0.25);
}

TEST(HitFusion, TheScaleOfAListDoesNotMatter) {
    const Hits words = {{block(0), 16.0f}, {block(1), 12.0f}};
    const Hits louder = {{block(0), 64.0f}, {block(1), 48.0f}};
    const Hits vectors = {{block(1), 0.5f}};
    const WeightedHits lists[] = {{words, 1}, {vectors, 0.15}};
    const WeightedHits same[] = {{louder, 1}, {vectors, 0.15}};
    EXPECT_EQ(fuse_hits(lists), fuse_hits(same));
}

TEST(HitFusion, VectorsDecideBetweenBlocksThatWordsHardlyTellApart) {
    const Hits close = {{block(0), 10.0f}, {block(1), 9.9f}};
    const Hits clear = {{block(0), 10.0f}, {block(1), 5.0f}};
    const Hits vectors = {{block(1), 0.7f}, {block(2), 0.6f}};
    const auto fused = [&](const Hits& words) {
        const WeightedHits lists[] = {{words, kLexicalWeight}, {vectors, kVectorWeight}};
        return fuse_hits(lists);
    };
    EXPECT_GT(fused(close).at(block(1)), fused(close).at(block(0)));
    EXPECT_LT(fused(clear).at(block(1)), fused(clear).at(block(0)));
}

TEST(HitFusion, ScoresBelowZeroAreNamedAndCountForNothing) {
    const Hits mixed = {{block(0), 0.5f}, {block(1), -0.2f}};
    const Hits hopeless = {{block(2), -0.1f}, {block(3), -0.3f}};
    const WeightedHits lists[] = {{mixed, 1}, {hopeless, 1}, {{}, 1}};
    const FusedScores expected = {
        {block(0), 1.0}, {block(1), 0.0}, {block(2), 0.0}, {block(3), 0.0}};
    EXPECT_EQ(fuse_hits(lists), expected);
}

}  // namespace
}  // namespace mc
