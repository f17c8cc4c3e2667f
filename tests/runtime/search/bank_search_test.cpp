// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/bank_search.h"

#include <fstream>

#include "tests/runtime/search/bank_fixture.h"

namespace mc::runtime {
namespace {

using Texts = std::vector<std::string>;

class BankSearchTest : public test::BankFixture {
  protected:
    // The best passage for a question, by words or by vectors.
    std::string best(const BankSearch& search, const std::string& question, bool by_vectors) {
        const auto hits = search.find(question, 5, {});
        EXPECT_TRUE(hits);
        const auto& list = by_vectors ? hits->by_vectors : hits->by_words;
        return list.empty() ? "" : text_of(list.front().passage);
    }
};

TEST_F(BankSearchTest, ADocumentOfOneShortSentenceIsFound) {
    append("anna", "Anna keeps a tortoise.");
    append("ben", "Ben likes tea.");
    const auto search = open_search(&embedder_);
    for (const bool by_vectors : {false, true})
        EXPECT_EQ(best(*search, "who keeps a tortoise?", by_vectors), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, PassagesAreWholeSentencesWhateverTheBlocks) {
    const auto document =
        append("a", "The bell was cast in Lisbon in 1755. It hung there for long. Then it fell.");
    const auto search = open_search(nullptr);
    EXPECT_EQ(passages_of(*search, document), (Texts{"The bell was cast in Lisbon in 1755.",
                                                     "It hung there for long.", "Then it fell."}));
}

TEST_F(BankSearchTest, ATailThatGrowsIsReplaced) {
    const auto document = append("a", "The bell was cast in Lis");
    auto search = open_search(&embedder_);
    append("a", "bon in 1755. It hung there for three hundred years. ");
    append("a", "It fell");
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(passages_of(*search, document),
              (Texts{"The bell was cast in Lisbon in 1755.",
                     "It hung there for three hundred years.", "It fell"}));
    EXPECT_EQ(best(*search, "lis", false), "");
    append("a", " down.");
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(passages_of(*search, document).back(), "It fell down.");
    EXPECT_EQ(search->index().size(), 3U);
}

TEST_F(BankSearchTest, AppendingInPiecesGivesTheIndexOfTheWhole) {
    const std::string text =
        "The bell was cast in Lisbon. It hung in the harbour, e.g. at night. Nobody rang it!\n\n"
        "A heading\n\nMore of the same, and more. The end";
    const auto whole = append("whole", text);
    const auto pieces = append("pieces", text.substr(0, 1));
    auto search = open_search(nullptr);
    for (std::size_t at = 1; at < text.size(); at += 7) {
        append("pieces", text.substr(at, 7));
        ASSERT_TRUE(search->catch_up());
    }
    EXPECT_EQ(passages_of(*search, pieces), passages_of(*search, whole));
}

TEST_F(BankSearchTest, WhatWasCommittedUnseenIsCaughtUpAtOpen) {
    append("a", "Anna keeps a tortoise.");
    open_search(&embedder_).reset();
    append("b", "Ben likes tea.");
    const auto search = open_search(&embedder_);
    EXPECT_EQ(search->opening_report().passages_added, 1U);
    EXPECT_EQ(best(*search, "tea", false), "Ben likes tea.");
    EXPECT_EQ(open_search(&embedder_)->opening_report().passages_added, 0U);
}

TEST_F(BankSearchTest, AnotherEmbedderMeansAnotherIndex) {
    append("a", "Anna keeps a tortoise.");
    EXPECT_EQ(open_search(nullptr)->index().vector_dim(), 0U);
    const auto search = open_search(&embedder_);
    EXPECT_TRUE(search->opening_report().rebuilt);
    EXPECT_EQ(best(*search, "a tortoise", true), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, AFailedEmbeddingLeavesNoClaimAndIsMadeGoodLater) {
    auto search = open_search(&embedder_);
    append("a", "Anna keeps a tortoise.");
    embedder_.fail_after(0);
    EXPECT_FALSE(search->catch_up());
    EXPECT_EQ(search->index().size(), 0U);
    embedder_.fail_after(100);
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(search->index().size(), 1U);
    EXPECT_EQ(best(*search, "tortoise", false), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, AReaderSearchesADamagedIndexByWordsInMemory) {
    append("a", "Anna keeps a tortoise.");
    open_search(&embedder_).reset();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path()))
        if (entry.path().filename().string().starts_with("passages.sqlite"))
            std::ofstream(entry.path(), std::ios::trunc) << std::string(5000, 'x');
    reopen(storage::StoreMode::kRead);
    const auto search = open_search(&embedder_);
    EXPECT_TRUE(search->opening_report().rebuilt);
    EXPECT_EQ(search->index().vector_dim(), 0U);
    EXPECT_EQ(best(*search, "tortoise", false), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, AReaderSearchesInMemoryWhereTheIndexsFileCannotBeOpened) {
    append("a", "Anna keeps a tortoise.");
    open_search(&embedder_).reset();
    const std::filesystem::path index = directory_.path() / "indexes" / "1" / "passages.sqlite";
    ASSERT_TRUE(std::filesystem::exists(index));
    for (const char* suffix : {"", "-wal", "-shm"})
        std::filesystem::remove(index.string() + suffix);
    std::filesystem::create_directory(index);
    reopen(storage::StoreMode::kRead);
    EXPECT_EQ(best(*open_search(&embedder_), "tortoise", false), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, AReaderOfAStoreThatHasNoIndexYetSearchesInMemory) {
    append("a", "Anna keeps a tortoise.");
    reopen(storage::StoreMode::kRead);
    EXPECT_EQ(best(*open_search(&embedder_), "tortoise", false), "Anna keeps a tortoise.");
}

TEST_F(BankSearchTest, AFilterKeepsToItsDocuments) {
    append("a", "Anna keeps a tortoise.");
    const auto ben = append("b", "Ben has no tortoise.");
    const auto search = open_search(&embedder_);
    const DocumentId only[] = {ben};
    const auto hits = search->find("tortoise", 5, only);
    ASSERT_TRUE(hits);
    for (const auto* list : {&hits->by_words, &hits->by_vectors})
        for (const PassageHit& hit : *list) EXPECT_EQ(hit.passage.document, ben);
}

}  // namespace
}  // namespace mc::runtime
