// SPDX-License-Identifier: Apache-2.0
#include "tree/tree_graph.h"

#include <gtest/gtest.h>

#include "tests/support/tree_fixture.h"

namespace mc {
namespace {

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

class TreeGraphTest : public testing::Test {
  protected:
    TreeGraphTest() {
        Rng rng(12);
        EXPECT_TRUE(document_.append(random_tokens(rng, 2100)));
    }

    std::vector<std::string> violations() {
        return *reachability_violations(store_, document_.id());
    }

    MemoryNodeStore store_;
    FakeEncoder encoder_;
    GrowingDocument document_{store_, encoder_, "book", true};
};

TEST_F(TreeGraphTest, DrawsEveryNodeOnceWithAnEdgeFromItsParent) {
    const std::string dot = *tree_dot(store_, document_.id(), {{0, 2100}, Level(0)});
    EXPECT_EQ(dot.substr(0, 9), "digraph G");
    EXPECT_EQ(count_of(dot, "d1 [0,2100)"), 1u);
    EXPECT_EQ(count_of(dot, "d1/L2/1 [1024,2048)\\nnll "), 1u);
    EXPECT_EQ(count_of(dot, "d1/L1/"), 65u);
    EXPECT_EQ(count_of(dot, "\"tokens ["), 66u);
    EXPECT_EQ(count_of(dot, "tokens [2080,2100)"), 1u);
    EXPECT_EQ(count_of(dot, "->"), 2u + 65u + 66u);
}

TEST_F(TreeGraphTest, DrawsOnlyTheExtentThatIsAskedFor) {
    const std::string dot = *tree_dot(store_, document_.id(), {{1000, 1060}, Level(1)});
    EXPECT_EQ(count_of(dot, "d1/L2/"), 2u);
    EXPECT_EQ(count_of(dot, "d1/L1/"), 3u);  // blocks 31, 32 and 33
    EXPECT_EQ(count_of(dot, "->"), 2u + 3u);
    EXPECT_EQ(count_of(*tree_dot(store_, document_.id(), {{0, 2100}, Level(2)}), "->"), 2u);
}

TEST_F(TreeGraphTest, RefusesASpanOutsideTheDocument) {
    const auto refused = tree_dot(store_, document_.id(), {{0, 2101}, Level(1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    EXPECT_FALSE(tree_dot(store_, DocumentId(5), {}));
}

TEST_F(TreeGraphTest, ASoundDocumentReachesEveryTokenOnce) {
    EXPECT_TRUE(violations().empty());
    const GrowingDocument empty(store_, encoder_, "empty");
    EXPECT_TRUE(reachability_violations(store_, empty.id())->empty());
}

TEST_F(TreeGraphTest, ChildrenOfAMissingParentAreOrphans) {
    store_.content(document_.id()).groups.at({Level(2), NodeIndex(0)}).gists.pop_back();
    const auto broken = violations();
    // 32 blocks and their 32 runs, and the gap that they leave.
    ASSERT_EQ(broken.size(), 65u);
    EXPECT_EQ(broken.front(), "nothing leads to d1/L1/32 [1024,1056)");
    EXPECT_EQ(broken.back(), "no path leads to the tokens from 1024 to 2048");
}

TEST_F(TreeGraphTest, TokensOfAMissingBlockAreNotReached) {
    store_.content(document_.id()).groups.at({Level(1), NodeIndex(2)}).gists.clear();
    const auto broken = violations();
    ASSERT_EQ(broken.size(), 2u);
    EXPECT_EQ(broken[0], "nothing leads to tokens [2048,2080)");
    EXPECT_EQ(broken[1], "no path leads to the tokens from 2048 to 2080");
}

TEST_F(TreeGraphTest, AGroupBeyondTheEndIsFound) {
    auto& groups = store_.content(document_.id()).groups;
    const Gist gist = groups.at({Level(1), NodeIndex(0)}).gists[0];
    groups[{Level(1), NodeIndex(3)}] = GistGroup{document_.id(), Level(1), NodeIndex(3), {gist}};
    EXPECT_EQ(violations(), std::vector<std::string>{"nothing leads to d1/L1/96 [3072,3104)"});
    groups.erase({Level(1), NodeIndex(3)});
    groups[{Level(3), NodeIndex(0)}] = GistGroup{document_.id(), Level(3), NodeIndex(0), {gist}};
    EXPECT_FALSE(violations().empty());
}

}  // namespace
}  // namespace mc
