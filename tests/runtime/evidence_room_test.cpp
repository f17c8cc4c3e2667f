// SPDX-License-Identifier: Apache-2.0
#include "runtime/evidence_room.h"

#include <gtest/gtest.h>

namespace mc::runtime {
namespace {

std::vector<Evidence> of_sizes(std::initializer_list<std::uint64_t> sizes) {
    std::vector<Evidence> evidence;
    for (const std::uint64_t size : sizes) evidence.emplace_back().tokens = {100, 100 + size};
    return evidence;
}

TEST(EvidenceRoom, TheBestThatFitsStaysAndSourcesFollowIt) {
    auto evidence = of_sizes({30, 80, 10, 70, 5});
    const auto kept = keep_within(50, evidence);
    EXPECT_EQ(kept, (std::vector<std::size_t>{1, 3, 5}));
    ASSERT_EQ(evidence.size(), 3U);
    EXPECT_EQ(evidence[1].tokens.count(), 10U);
    // Of an answer from the fifth, the second and the third piece, the second went.
    EXPECT_EQ(renumbered(std::vector<std::size_t>{5, 2, 3}, kept),
              (std::vector<std::size_t>{3, 2}));
}

TEST(EvidenceRoom, NothingFitsNothing) {
    auto evidence = of_sizes({30, 80});
    const auto kept = keep_within(0, evidence);
    EXPECT_TRUE(kept.empty());
    EXPECT_TRUE(evidence.empty());
    EXPECT_TRUE(renumbered(std::vector<std::size_t>{1}, kept).empty());
}

}  // namespace
}  // namespace mc::runtime
