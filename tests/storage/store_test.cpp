// SPDX-License-Identifier: Apache-2.0
// The store's everyday laws: what is committed is read back, banks are apart, and every refusal
// says why.
#include "storage/store.h"

#include <gtest/gtest.h>

#include "tests/storage/tamper.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

class StoreTest : public testing::Test {
  protected:
    void SetUp() override {
        store_ = open_or_die(test_options(scratch_.path() / "store"));
        ASSERT_TRUE(store_->create_bank("alpha"));
        ASSERT_TRUE(store_->create_bank("beta"));
        alpha_ = *store_->bank_store("alpha");
        beta_ = *store_->bank_store("beta");
    }

    Path directory() const { return scratch_.path() / "store"; }

    void reopen() {
        alpha_.reset();
        beta_.reset();
        store_.reset();
        store_ = open_or_die(test_options(directory(), StoreMode::kWrite));
        alpha_ = *store_->bank_store("alpha");
        beta_ = *store_->bank_store("beta");
    }

    static DocumentRecord named(const std::string& name) {
        DocumentRecord draft;
        draft.source_name = name;
        draft.media_type = "text/plain";
        draft.created_us = 17;
        draft.metadata = {{"author", "nobody"}, {"empty", ""}};
        return draft;
    }

    // Commits count tokens and returns the record as it stands afterwards.
    static DocumentRecord grow(NodeStore& bank, const DocumentRecord& before, std::uint64_t count) {
        const IngestBatch batch = next_batch(before, count);
        const auto committed = bank.commit(batch);
        EXPECT_TRUE(committed) << committed.error().to_string();
        return batch.document;
    }

    std::uint64_t fault_count() const {
        const auto summary = store_->verify_records(
            [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
        EXPECT_TRUE(summary) << summary.error().to_string();
        return summary->faults;
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<NodeStore> alpha_;
    std::unique_ptr<NodeStore> beta_;
};

TEST_F(StoreTest, CommittedTokensAndGistsAreReadBackAfterReopening) {
    DocumentRecord document = *alpha_->create_document(named("book.txt"));
    for (const std::uint64_t count : {5u, 27u, 1000u, 40u, 3000u}) {
        document = grow(*alpha_, document, count);
        EXPECT_EQ(fault_count(), 0u);
    }
    reopen();
    IngestBatch whole = next_batch(
        [&] {
            DocumentRecord empty = document;
            empty.token_count = empty.byte_count = 0;
            return empty;
        }(),
        document.token_count);
    EXPECT_EQ(*alpha_->read_tokens(document.id, {0, document.token_count}), whole.tokens);
    EXPECT_EQ(alpha_->read_tokens(document.id, {1023, 1025})->size(), 2u);
    for (const NewGist& made : whole.gists) {
        const auto group = *alpha_->find_gists(document.id, made.node.level,
                                               NodeIndex(made.node.index.value / kBlockSize));
        ASSERT_TRUE(group);
        EXPECT_TRUE(same_gist(group->gists[slot_in_parent(made.node)], made.gist));
    }
    EXPECT_FALSE(*alpha_->find_gists(document.id, Level(1), NodeIndex(999)));
    EXPECT_FALSE(*alpha_->find_gists(document.id, Level(9), NodeIndex(0)));
}

TEST_F(StoreTest, ADocumentKeepsItsProvenance) {
    const DocumentRecord made = *alpha_->create_document(named("a/b.txt"));
    const DocumentRecord found = **alpha_->find_document_by_source("a/b.txt");
    EXPECT_EQ(found.id, made.id);
    EXPECT_EQ(found.media_type, "text/plain");
    EXPECT_EQ(found.created_us, 17);
    EXPECT_EQ(found.metadata.at("author"), "nobody");
    EXPECT_EQ(found.metadata.at("empty"), "");
    EXPECT_FALSE(*alpha_->find_document_by_source("a/c.txt"));
}

TEST_F(StoreTest, ASourceNameIsTakenOnceInABankButFreeInAnother) {
    ASSERT_TRUE(alpha_->create_document(named("x")));
    const auto again = alpha_->create_document(named("x"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::kInvalidInput);
    EXPECT_TRUE(beta_->create_document(named("x")));
}

TEST_F(StoreTest, ADocumentOfAnotherBankDoesNotExist) {
    DocumentRecord mine = grow(*alpha_, *alpha_->create_document(named("secret")), 2048);
    EXPECT_FALSE(*beta_->find_document(mine.id));
    EXPECT_FALSE(*beta_->find_document_by_source("secret"));
    EXPECT_TRUE(beta_->list_documents()->empty());
    EXPECT_TRUE(beta_->journal_after(CommitNumber(0))->empty());
    EXPECT_EQ(*beta_->last_commit(), CommitNumber(0));
    const NodeId node{mine.id, Level(1), NodeIndex(0)};
    EXPECT_EQ(beta_->read_tokens(mine.id, {0, 1}).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(beta_->mark_before_byte(mine.id, 0).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(beta_->mark_before_token(mine.id, 0).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(beta_->find_gists(mine.id, Level(1), NodeIndex(0)).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(beta_->node_use(node).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(beta_->record_use(std::vector{node}, 1).error().code(), ErrorCode::kInvalidInput);
    IngestBatch theirs = next_batch(mine, 1);
    EXPECT_EQ(beta_->commit(theirs).error().code(), ErrorCode::kInvalidInput);
}

TEST_F(StoreTest, MarksLieAtOrBeforeTheirPositionWithinTheStride) {
    DocumentRecord document = *alpha_->create_document(named("marks"));
    EXPECT_EQ(alpha_->mark_before_byte(document.id, 0)->token, 0u);
    EXPECT_EQ(alpha_->mark_before_token(document.id, 0)->token, 0u);
    const IngestBatch batch = next_batch(document, 5 * 1024 + 17);
    ASSERT_TRUE(alpha_->commit(batch));
    document = batch.document;
    std::uint64_t byte = 0;
    for (std::uint64_t token = 0; token <= document.token_count; ++token) {
        if (token % 97 == 0 || token % 1024 < 2 || token == document.token_count) {
            const TokenByteMark by_token = *alpha_->mark_before_token(document.id, token);
            const TokenByteMark by_byte = *alpha_->mark_before_byte(document.id, byte);
            EXPECT_LE(by_token.token, token);
            EXPECT_LE(token - by_token.token, kTokenMarkStride);
            EXPECT_LE(by_byte.byte, byte);
            EXPECT_LE(token - by_byte.token, kTokenMarkStride);
            std::uint64_t between = 0;
            for (std::uint64_t i = by_token.token; i < token; ++i)
                between += batch.token_sizes_bytes[i];
            EXPECT_EQ(by_token.byte + between, byte);
        }
        if (token < document.token_count) byte += batch.token_sizes_bytes[token];
    }
    EXPECT_EQ(alpha_->mark_before_byte(document.id, document.byte_count + 1).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(alpha_->mark_before_token(document.id, document.token_count + 1).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(alpha_->read_tokens(document.id, {0, document.token_count + 1}).error().code(),
              ErrorCode::kInvalidInput);
}

TEST_F(StoreTest, TheJournalTellsWhatACacheMissed) {
    DocumentRecord document = *alpha_->create_document(named("log"));
    std::vector<CommitNumber> numbers;
    for (const std::uint64_t count : {10u, 20u, 30u}) {
        IngestBatch batch = next_batch(document, count);
        batch.document.updated_us = 1000 * static_cast<std::int64_t>(count);
        batch.document.complete = count == 20;
        numbers.push_back(*alpha_->commit(batch));
        document = batch.document;
        DocumentRecord other = *beta_->create_document(named("n" + std::to_string(count)));
        grow(*beta_, other, 3);
    }
    EXPECT_EQ(*alpha_->last_commit(), numbers.back());
    const auto missed = *alpha_->journal_after(numbers[0]);
    ASSERT_EQ(missed.size(), 2u);
    EXPECT_EQ(missed[0].commit, numbers[1]);
    EXPECT_EQ(missed[0].tokens, (TokenSpan{10, 30}));
    EXPECT_EQ(missed[1].tokens, (TokenSpan{30, 60}));
    EXPECT_TRUE(alpha_->journal_after(numbers.back())->empty());
    EXPECT_EQ(missed[0].added_us, document.created_us);  // the rest of its first text
    EXPECT_EQ(missed[1].added_us, 30'000);               // what was added to it
    const auto between = *alpha_->journal_between(numbers[0], numbers[1]);
    ASSERT_EQ(between.size(), 1u);
    EXPECT_EQ(between[0].commit, numbers[1]);
}

TEST_F(StoreTest, UseIsCountedPerNode) {
    const DocumentRecord document = grow(*alpha_, *alpha_->create_document(named("used")), 4096);
    const NodeId first{document.id, Level(1), NodeIndex(3)};
    const NodeId second{document.id, Level(2), NodeIndex(1)};
    ASSERT_TRUE(alpha_->record_use(std::vector{first, second, first}, 100));
    ASSERT_TRUE(alpha_->record_use(std::vector{first}, 90));
    reopen();
    EXPECT_EQ(alpha_->node_use(first)->access_count, 3u);
    EXPECT_EQ(alpha_->node_use(first)->last_used_us, 100);
    EXPECT_EQ(alpha_->node_use(second)->access_count, 1u);
    EXPECT_EQ(alpha_->node_use({document.id, Level(1), NodeIndex(4)})->access_count, 0u);
    EXPECT_EQ(fault_count(), 0u);
}

TEST_F(StoreTest, TokenIdsBeyondSixteenBitsAreKept) {
    DocumentRecord document = *alpha_->create_document(named("wide"));
    IngestBatch narrow = next_batch(document, 10);
    ASSERT_TRUE(alpha_->commit(narrow));
    IngestBatch wide = next_batch(narrow.document, 10, 2'000'000'000);
    ASSERT_TRUE(alpha_->commit(wide));
    std::vector<TokenId> both = narrow.tokens;
    both.insert(both.end(), wide.tokens.begin(), wide.tokens.end());
    EXPECT_EQ(*alpha_->read_tokens(document.id, {0, 20}), both);
}

TEST_F(StoreTest, BankNamesAreCheckedAndUniqueAndTheUnknownIsNamed) {
    for (const std::string& name :
         {std::string(), std::string("a b"), std::string("ä"), std::string("a/b"),
          std::string(65, 'x'), std::string("a\0b", 3)})
        EXPECT_EQ(store_->create_bank(name).error().code(), ErrorCode::kInvalidInput);
    EXPECT_TRUE(store_->create_bank(std::string(64, 'x')));
    EXPECT_EQ(store_->create_bank("alpha").error().code(), ErrorCode::kInvalidInput);
    const Error unknown = store_->bank_store("gamma").error();
    EXPECT_EQ(unknown.code(), ErrorCode::kInvalidInput);
    EXPECT_NE(unknown.message().find("gamma"), std::string::npos);
    EXPECT_NE(unknown.message().find("alpha"), std::string::npos);
}

TEST_F(StoreTest, StatisticsCountEntriesAndTheSizeIsNotZero) {
    grow(*alpha_, *alpha_->create_document(named("s")), 5000);
    const auto statistics = *store_->database_statistics();
    ASSERT_EQ(statistics.size(), 7u);
    EXPECT_EQ(statistics[1].name, "banks");
    EXPECT_EQ(statistics[1].entries, 2u);
    EXPECT_EQ(statistics[3].name, "tokens");
    EXPECT_EQ(statistics[3].entries, 5u);
    EXPECT_GT(statistics[3].bytes, 5000u * 2);
    EXPECT_GT(*store_->size_on_disk_bytes(), 5000u * 2);
}

TEST_F(StoreTest, ReadingNeedsNoIdentityAndCannotWrite) {
    grow(*alpha_, *alpha_->create_document(named("s")), 100);
    alpha_.reset();
    beta_.reset();
    store_.reset();
    StoreOptions options = test_options(directory(), StoreMode::kRead);
    options.identity.reset();
    store_ = open_or_die(options);
    EXPECT_EQ(store_->meta().identity.base_model_name, "tiny-llama");
    EXPECT_EQ(store_->meta().identity.encoder.shape, test_identity().encoder.shape);
    EXPECT_FALSE(store_->writable());
    EXPECT_EQ(fault_count(), 0u);
    EXPECT_EQ(store_->create_bank("new").error().code(), ErrorCode::kInvalidInput);
    alpha_ = *store_->bank_store("alpha");
    EXPECT_EQ(alpha_->create_document(named("t")).error().code(), ErrorCode::kInvalidInput);
}

TEST_F(StoreTest, AnotherModelTokenizerOrEncoderIsRefusedWithBothNames) {
    reopen();
    alpha_.reset();
    beta_.reset();
    store_.reset();
    std::vector<StoreIdentity> others(3, test_identity());
    others[0].base_model_hash.low ^= 1;
    others[0].base_model_name = "other-llama";
    others[1].tokenizer_hash.low ^= 1;
    others[2].encoder.hash.low ^= 1;
    others[2].encoder.name = "other-encoder";
    for (const StoreIdentity& other : others) {
        StoreOptions options = test_options(directory());
        options.identity = other;
        const auto refused = Store::open(options);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kModelMismatch);
        EXPECT_NE(refused.error().message().find("reindex"), std::string::npos);
    }
    StoreOptions options = test_options(directory());
    options.identity = others[0];
    const std::string message = Store::open(options).error().message();
    EXPECT_NE(message.find("tiny-llama"), std::string::npos);
    EXPECT_NE(message.find("other-llama"), std::string::npos);
}

TEST_F(StoreTest, VerifyFindsWhatBreaksARuleBetweenRecords) {
    const DocumentRecord document = grow(*alpha_, *alpha_->create_document(named("d")), 5000);
    alpha_.reset();
    beta_.reset();
    store_.reset();
    TokenChunk chunk;
    chunk.tokens = {1, 2, 3};
    tamper(directory(), [&](WriteTransaction& txn) -> Result<void> {
        // Tokens of no document, a chunk that is too short, a commit that never was.
        MC_TRY(
            put_record(txn, Database::kTokens, token_key(DocumentId(99), 0), encode_tokens, chunk));
        MC_TRY(put_record(txn, Database::kTokens, token_key(document.id, 1), encode_tokens, chunk));
        return put_record(txn, Database::kJournal, journal_key(BankId(1), CommitNumber(77)),
                          encode_journal, JournalRecord{document.id, {5000, 5001}});
    });
    store_ = open_or_die(test_options(directory(), StoreMode::kRead));
    std::vector<std::string> faults;
    const auto summary = store_->verify_records([&](const RecordFault& fault) {
        EXPECT_EQ(fault.error.code(), ErrorCode::kCorruption);
        faults.push_back(fault.database + ": " + fault.key);
    });
    EXPECT_EQ(summary->faults, faults.size());
    EXPECT_EQ(faults, (std::vector<std::string>{"tokens: document 1, chunk 1",
                                                "tokens: document 99, chunk 0",
                                                "journal: bank 1, commit 77"}));
    alpha_ = *store_->bank_store("alpha");
    EXPECT_EQ(alpha_->read_tokens(document.id, {0, 2000}).error().code(), ErrorCode::kCorruption);
}

TEST_F(StoreTest, ProvenanceHasALimitAndAnErrorThatSaysSo) {
    DocumentRecord draft = named(std::string(4096, 'n'));
    draft.metadata["text"] = std::string(60'000, 'm');
    EXPECT_TRUE(alpha_->create_document(draft));
    draft.source_name = "other";
    draft.metadata["more"] = std::string(6'000, 'm');
    EXPECT_EQ(alpha_->create_document(draft).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(alpha_->create_document(named(std::string(4097, 'n'))).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(alpha_->list_documents()->front().metadata.at("text").size(), 60'000u);
}

using StoreDeathTest = StoreTest;

TEST_F(StoreDeathTest, ABatchThatDoesNotContinueItsDocumentIsABug) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    const DocumentRecord document = grow(*alpha_, *alpha_->create_document(named("d")), 64);
    IngestBatch wrong_count = next_batch(document, 8);
    wrong_count.document.token_count += 1;
    EXPECT_DEATH(static_cast<void>(alpha_->commit(wrong_count)), "do not continue");
    IngestBatch gap = next_batch(document, 64);
    gap.gists.erase(gap.gists.begin());
    EXPECT_DEATH(static_cast<void>(alpha_->commit(gap)), "gap or overwrite");
    IngestBatch overwrite = next_batch(document, 64);
    overwrite.gists[0].node.index = NodeIndex(0);
    EXPECT_DEATH(static_cast<void>(alpha_->commit(overwrite)), "gap or overwrite");
}

}  // namespace
}  // namespace mc::storage
