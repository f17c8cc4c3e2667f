// SPDX-License-Identifier: Apache-2.0
#include "tree/tree_check.h"

#include <gtest/gtest.h>

#include "tests/support/tree_fixture.h"

namespace mc {
namespace {

// A sound document of 2,100 tokens: 65 blocks, 2 nodes of level 2, a tail of 20.
class TreeCheckTest : public testing::Test {
  protected:
    TreeCheckTest() {
        Rng rng(11);
        for (const std::uint64_t count : {900, 100, 1100}) {
            EXPECT_TRUE(document_.append(random_tokens(rng, count)));
        }
    }

    MemoryNodeStore::Content& content() { return store_.content(document_.id()); }

    Gist& gist(std::uint64_t index) {
        return content()
            .groups.at({Level(1), NodeIndex(index / kBlockSize)})
            .gists[index % kBlockSize];
    }

    // The only violation.
    std::string violation() {
        const auto broken = *tree_violations(store_, document_.id(), encoder_.info().shape);
        EXPECT_EQ(broken.size(), 1u);
        return broken.empty() ? "" : broken.front();
    }

    MemoryNodeStore store_;
    FakeEncoder encoder_;
    GrowingDocument document_{store_, encoder_, "book", true};
};

TEST_F(TreeCheckTest, FindsNothingWrongWithASoundDocument) {
    EXPECT_TRUE(check_tree(store_, document_.id(), encoder_.info().shape));
}

TEST_F(TreeCheckTest, FindsNothingWrongWithAnEmptyDocument) {
    const GrowingDocument empty(store_, encoder_, "empty");
    EXPECT_TRUE(check_tree(store_, empty.id(), encoder_.info().shape));
}

TEST_F(TreeCheckTest, NamesAMissingGist) {
    content().groups.at({Level(1), NodeIndex(1)}).gists.pop_back();
    EXPECT_EQ(violation(), "31 gists below d1/L2/1, 32 expected");
}

TEST_F(TreeCheckTest, NamesAMissingGroup) {
    content().groups.erase({Level(1), NodeIndex(0)});
    EXPECT_EQ(violation(), "0 gists below d1/L2/0, 32 expected");
}

TEST_F(TreeCheckTest, NamesAGroupBeyondTheEnd) {
    content().groups[{Level(3), NodeIndex(0)}] =
        GistGroup{document_.id(), Level(3), NodeIndex(0), {gist(0)}};
    EXPECT_EQ(violation(), "1 gists below d1/L4/0, 0 expected");
}

TEST_F(TreeCheckTest, NamesAGroupUnderAWrongKey) {
    content().groups.at({Level(1), NodeIndex(1)}).parent = NodeIndex(0);
    EXPECT_EQ(violation(), "the gists below d1/L2/1 name another parent");
}

TEST_F(TreeCheckTest, NamesGistsOfAnotherShape) {
    gist(40).kv.pop_back();
    EXPECT_EQ(violation(), "d1/L1/40 has keys and values of another shape");
}

TEST_F(TreeCheckTest, NamesKeysThatAreNotFinite) {
    gist(40).kv[3] = 0x7c00;  // infinity
    EXPECT_EQ(violation(), "d1/L1/40 has a key or value that is not finite");
}

TEST_F(TreeCheckTest, NamesIndexVectorsThatAreNotOfUnitLength) {
    for (float& x : gist(64).index_vector) x *= 1.1f;
    EXPECT_EQ(violation(), "d1/L1/64 has an index vector that is not of unit length");
    gist(64).index_vector.pop_back();
    EXPECT_EQ(violation(), "d1/L1/64 has an index vector of another width");
}

TEST_F(TreeCheckTest, NamesStatisticsOutOfRange) {
    gist(0).statistics.mean_nll = -1;
    EXPECT_EQ(violation(), "d1/L1/0 has statistics out of range");
}

TEST_F(TreeCheckTest, NamesTokensThatAreMissing) {
    content().tokens.pop_back();
    EXPECT_NE(violation().find("ends before the span"), std::string::npos);
}

TEST_F(TreeCheckTest, NamesMarksOutOfOrder) {
    content().marks[1].byte = content().record.byte_count + 1;
    EXPECT_NE(check_tree(store_, document_.id(), encoder_.info().shape)
                  .error()
                  .message()
                  .find("byte marks out of order at token 2047"),
              std::string::npos);
}

TEST_F(TreeCheckTest, NamesAMarkThatIsMissing) {
    content().marks.erase(content().marks.begin() + 1);
    EXPECT_EQ(violation(), "no byte mark within a stride before token 2047");
}

TEST_F(TreeCheckTest, NamesAJournalThatLeavesTokensOut) {
    EXPECT_TRUE(journal_violations(store_)->empty());
    const GrowingDocument empty(store_, encoder_, "empty");
    store_.journal().erase(store_.journal().begin() + 1);
    EXPECT_EQ(*journal_violations(store_),
              std::vector<std::string>{
                  "the journal does not continue at token 900 of document 1 in commit 3"});
    store_.journal().pop_back();
    EXPECT_EQ(*journal_violations(store_),
              std::vector<std::string>{"the journal covers 900 of 2100 tokens of document 1"});
    store_.journal().push_back({CommitNumber(1), DocumentId(77), {0, 5}});
    EXPECT_EQ(journal_violations(store_)->size(), 3u);
}

TEST_F(TreeCheckTest, TheJournalMayNameWhatWasForgotten) {
    const Tombstone tombstone{document_.id(), 1, 0, ""};
    ASSERT_TRUE(store_.announce_forgets(std::span(&tombstone, 1)));
    ASSERT_TRUE(store_.forget(document_.id()));
    EXPECT_TRUE(journal_violations(store_)->empty());
}

TEST_F(TreeCheckTest, RefusesADocumentThatTheBankDoesNotHave) {
    const auto refused = tree_violations(store_, DocumentId(77), encoder_.info().shape);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc
