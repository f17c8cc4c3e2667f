// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/bank_search.h"

#include <fstream>
#include <functional>
#include <utility>

#include "tests/runtime/search/bank_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::runtime {
namespace {

using Texts = std::vector<std::string>;

// Embeds as another does, and before it first does, something happens.
class Meanwhile final : public TextEmbedder {
  public:
    Meanwhile(TextEmbedder& embedder, std::function<void()> happens)
        : embedder_(embedder), happens_(std::move(happens)) {}

    const TextEmbedderInfo& info() const override { return embedder_.info(); }

    Result<std::vector<float>> embed(std::span<const std::string> texts) override {
        if (happens_) std::exchange(happens_, nullptr)();
        return embedder_.embed(texts);
    }

  private:
    TextEmbedder& embedder_;
    std::function<void()> happens_;
};

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

TEST_F(BankSearchTest, AReaderAddsWhatItsWriterSavesMeanwhile) {
    append("a", "Anna keeps a tortoise.");
    open_search(&embedder_).reset();
    close();
    storage::TalkingChild writer([this](const storage::TalkingChild::Line& line) {
        reopen(storage::StoreMode::kWrite);
        append("b", "Ben likes tea.");
        line.say('c');
        line.listen();
        open_search(&embedder_).reset();
        line.say('s');
        line.listen();
        return 0;
    });
    ASSERT_EQ(writer.line().listen(), 'c');
    reopen(storage::StoreMode::kRead);
    char said = 0;
    Meanwhile embedder(embedder_, [&] {
        writer.line().say('g');
        said = writer.line().listen();
    });
    const auto search = open_search(&embedder);
    EXPECT_EQ(said, 's');
    EXPECT_EQ(search->index().size(), 2U);
    for (const bool by_vectors : {false, true})
        EXPECT_EQ(best(*search, "who likes tea?", by_vectors), "Ben likes tea.");
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
    const PassageRange only[] = {{ben}};
    const auto hits = search->find("tortoise", 5, only);
    ASSERT_TRUE(hits);
    for (const auto* list : {&hits->by_words, &hits->by_vectors})
        for (const PassageHit& hit : *list) EXPECT_EQ(hit.passage.document, ben);
}

// Parts of documents become blank, as runtime/redaction.cpp does it but for gists.
class BlankPartsTest : public BankSearchTest {
  protected:
    TokenSpan part(DocumentId document, const std::string& words) {
        const auto record = *nodes_->find_document(document);
        const std::string text = *text_->read_text(document, {0, record->token_count});
        const std::size_t begin = text.find(words);
        EXPECT_NE(begin, text.npos);
        // The toy tokenizer's tokens are short, but not all of one byte.
        TokenSpan span{0, 0};
        while (text_->byte_span_of(document, {span.begin, span.begin + 1})->end <= begin)
            ++span.begin;
        span.end = span.begin;
        while (text_->byte_span_of(document, {0, span.end})->end < begin + words.size()) ++span.end;
        return span;
    }

    // With the index's part first, as a kill may leave it.
    Redaction take_out(BankSearch& search, DocumentId document, const std::string& words) {
        Redaction redaction;
        redaction.document = **nodes_->find_document(document);
        redaction.blank = tokenizer_->blank_token();
        const std::vector<TokenSpan> parts{part(document, words)};
        redaction.unindexed = *search.remove_parts(redaction.document, parts);
        const auto bytes = *text_->byte_span_of(document, parts[0]);
        redaction.runs = {{parts[0], bytes.count()}};
        redaction.document.byte_count -= bytes.count();
        return redaction;
    }

    void blank(const Redaction& redaction) {
        const Tombstone announced{redaction.document.id, 1, 0, ""};
        ASSERT_TRUE(nodes_->announce_forgets(std::span(&announced, 1)));
        ASSERT_TRUE(nodes_->redact(redaction));
    }

    const std::string text_of_three_ =
        "The bell was cast in Lisbon. Zebulon rang it at noon on Sundays. It fell in May.";
};

TEST_F(BlankPartsTest, WhatIsBlankIsInNoPassageAndItsNeighboursAreAsTheyWere) {
    const auto document = append("a", text_of_three_);
    const auto search = open_search(&embedder_);
    blank(take_out(*search, document, " Zebulon rang it at noon on Sundays."));
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(passages_of(*search, document),
              (Texts{"The bell was cast in Lisbon.", "It fell in May."}));
    EXPECT_EQ(best(*search, "zebulon", false), "");
    EXPECT_EQ(best(*search, "bell", true), "The bell was cast in Lisbon.");
}

TEST_F(BlankPartsTest, WhatStaysOfASentenceIsFoundAgain) {
    const auto document = append("a", text_of_three_);
    const auto search = open_search(&embedder_);
    blank(take_out(*search, document, " at noon"));
    EXPECT_EQ(best(*search, "zebulon", false), "");
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(
        passages_of(*search, document),
        (Texts{"The bell was cast in Lisbon.", "Zebulon rang it on Sundays.", "It fell in May."}));
    // Again, beside what is blank, and at the document's end, which then grows.
    blank(take_out(*search, document, " Zebulon rang it"));
    ASSERT_TRUE(search->catch_up());
    blank(take_out(*search, document, "It fell in May."));
    ASSERT_TRUE(search->catch_up());
    const std::string left = "The bell was cast in Lisbon. on Sundays.";  // as such a text is cut
    EXPECT_EQ(passages_of(*search, document), (Texts{left}));
    append("a", " It was mended.");
    ASSERT_TRUE(search->catch_up());
    EXPECT_EQ(passages_of(*search, document), (Texts{left, "It was mended."}));
}

TEST_F(BlankPartsTest, AnIndexMadeAnewIsTheSame) {
    const auto document = append("a", text_of_three_);
    append("b", "Ben likes tea.");
    {
        const auto search = open_search(&embedder_);
        blank(take_out(*search, document, " at noon"));
    }
    // Killed before the index took up what is left of the sentence.
    const auto search = open_search(&embedder_);
    const auto caught_up = passages_of(*search, document);
    EXPECT_EQ(caught_up.size(), 3U);
    EXPECT_EQ(passages_of(*open_search(nullptr), document), caught_up);
}

TEST_F(BlankPartsTest, ALongBlankIsPassedOver) {
    std::string words;
    for (int i = 0; i < 4000; ++i) words += " gone" + std::to_string(i);
    const auto document = append("a", "The bell was cast in Lisbon." + words);
    append("a", " It fell in May.");
    const auto search = open_search(nullptr);
    Redaction redaction = take_out(*search, document, words);
    const TokenSpan all = redaction.runs[0].tokens;
    redaction.runs.clear();
    for (std::uint64_t at = all.begin; at < all.end;) {
        const std::uint64_t end = std::min(all.end, at - at % kTokenMarkStride + kTokenMarkStride);
        redaction.runs.push_back({{at, end}, text_->byte_span_of(document, {at, end})->count()});
        at = end;
    }
    ASSERT_GT(redaction.runs.size(), 16U);  // more than are cut at once
    blank(redaction);
    ASSERT_TRUE(search->catch_up());
    const Texts left{"The bell was cast in Lisbon.", "It fell in May."};
    EXPECT_EQ(passages_of(*search, document), left);
    EXPECT_EQ(passages_of(*open_search(&embedder_), document), left);
    EXPECT_EQ(*text_->read_bytes(document, {0, 44}),
              "The bell was cast in Lisbon. It fell in May.");
}

}  // namespace
}  // namespace mc::runtime
