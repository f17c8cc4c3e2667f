// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/passage_source.h"

#include <gtest/gtest.h>

namespace mc::eval {
namespace {

FoundPassage passage(std::uint64_t document, std::uint64_t begin, std::uint64_t end) {
    return {DocumentId(document), {begin, end}};
}

using Passages = std::vector<FoundPassage>;

TEST(JoinNeighbours, TouchingPassagesAreOneAtThePlaceOfTheBest) {
    const Passages found{passage(1, 64, 96), passage(1, 320, 352), passage(1, 96, 128)};
    EXPECT_EQ(join_neighbours(found), (Passages{passage(1, 64, 128), passage(1, 320, 352)}));
}

TEST(JoinNeighbours, APassageBetweenTwoJoinsBoth) {
    const Passages found{passage(1, 0, 32), passage(1, 64, 96), passage(1, 32, 64)};
    EXPECT_EQ(join_neighbours(found), Passages{passage(1, 0, 96)});
}

TEST(JoinNeighbours, DocumentsStayApart) {
    const Passages found{passage(1, 0, 32), passage(2, 32, 64)};
    EXPECT_EQ(join_neighbours(found), found);
    EXPECT_EQ(join_neighbours({}), Passages{});
}

}  // namespace
}  // namespace mc::eval
