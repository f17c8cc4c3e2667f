// SPDX-License-Identifier: Apache-2.0
// What forgetting leaves of a document: a tombstone, in a store that verifies.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/storage/reopened_store.h"
#include "tests/storage/tamper.h"
#include "tree/tree_check.h"

namespace mc::storage {
namespace {

class ForgettingTest : public ReopenedStore {
  protected:
    DocumentRecord add(const std::string& name, std::uint64_t tokens) {
        DocumentRecord draft;
        draft.source_name = name;
        const IngestBatch batch = next_batch(*bank_->create_document(draft), tokens);
        EXPECT_TRUE(bank_->commit(batch));
        return batch.document;
    }

    Result<void> announce(std::vector<Tombstone> tombstones) {
        return bank_->announce_forgets(tombstones);
    }

    void forget(DocumentId document) {
        ASSERT_TRUE(announce({{document, 42, 0, "asked for"}}));
        ASSERT_TRUE(bank_->forget(document));
    }

    std::uint64_t entries(Database database) const {
        return (*store_->database_statistics())[static_cast<std::size_t>(database)].entries;
    }
};

TEST_F(ForgettingTest, NothingButATombstoneStays) {
    const DocumentRecord kept = add("kept", 100);
    const std::uint64_t tokens = entries(Database::kTokens);
    const std::uint64_t gists = entries(Database::kGists);
    const DocumentRecord gone = add("gone", 3000);
    ASSERT_TRUE(bank_->record_use(std::vector{NodeId{gone.id, Level(1), NodeIndex(0)}}, 1));
    forget(gone.id);
    reopen(StoreMode::kWrite);
    EXPECT_FALSE(*bank_->find_document(gone.id));
    EXPECT_FALSE(*bank_->find_document_by_source("gone"));
    EXPECT_FALSE(bank_->read_tokens(gone.id, {0, 1}));
    EXPECT_EQ(bank_->list_documents()->size(), 1U);
    EXPECT_EQ(bank_->newest_documents(5)->size(), 1U);
    EXPECT_EQ(entries(Database::kTokens), tokens);
    EXPECT_EQ(entries(Database::kGists), gists);
    EXPECT_EQ(entries(Database::kStats), 0U);
    const auto tombstones = *bank_->tombstones();
    ASSERT_EQ(tombstones.size(), 1U);
    EXPECT_EQ(tombstones[0].document, gone.id);
    EXPECT_EQ(tombstones[0].forgotten_us, 42);
    EXPECT_EQ(tombstones[0].token_count, 3000U);
    EXPECT_EQ(tombstones[0].reason, "asked for");
    EXPECT_EQ(bank_->read_tokens(kept.id, {0, 100})->size(), 100U);
    EXPECT_EQ(faults(), 0U);
}

// The first ids of a document as they lie in a chunk of its tokens, two bytes each.
std::string stored_ids(const std::vector<TokenId>& tokens) {
    std::string bytes;
    for (const TokenId token : tokens) {
        bytes.push_back(static_cast<char>(token & 0xff));
        bytes.push_back(static_cast<char>(token >> 8));
    }
    return bytes;
}

TEST_F(ForgettingTest, APurgeLeavesNoTraceInTheFile) {
    const DocumentRecord kept = add("kept", 500);
    const DocumentRecord gone = add("a name that nobody else has", 2000);
    const std::string ids = stored_ids(*bank_->read_tokens(gone.id, {1000, 1016}));
    const auto holds = [&](std::string_view what) {
        std::ifstream file(scratch_.path() / "store" / "data.mdb", std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        return bytes.find(what) != std::string::npos;
    };
    forget(gone.id);
    EXPECT_TRUE(holds(ids) && holds("nobody else")) << "free pages keep what they held";
    ASSERT_TRUE(store_->purge());
    EXPECT_FALSE(holds(ids));
    EXPECT_FALSE(holds("nobody else"));
    EXPECT_EQ(bank_->read_tokens(kept.id, {0, 500})->size(), 500U);
    EXPECT_TRUE(bank_->commit(next_batch(kept, 40)));
    EXPECT_EQ(faults(), 0U);
    reopen(StoreMode::kWrite);
    EXPECT_EQ(bank_->tombstones()->size(), 1U);
    EXPECT_EQ(faults(), 0U);
}

TEST_F(ForgettingTest, TheNameIsFreeAndTheIdIsNotGivenOutAgain) {
    const DocumentRecord first = add("a", 10);
    forget(first.id);
    const DocumentRecord second = add("a", 20);
    EXPECT_NE(second.id, first.id);
    EXPECT_EQ((*bank_->find_document_by_source("a"))->id, second.id);
    EXPECT_EQ(faults(), 0U);
}

TEST_F(ForgettingTest, TheJournalSaysThatSomethingChanged) {
    const DocumentRecord document = add("a", 10);
    const CommitNumber before = *bank_->last_commit();
    forget(document.id);
    const auto entries = *bank_->journal_after(before);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].document, document.id);
    EXPECT_TRUE(entries[0].tokens.empty());
    EXPECT_GT(*bank_->last_commit(), before);
}

TEST_F(ForgettingTest, AnAnnouncementSurvivesAndChangesNothingYet) {
    const DocumentRecord document = add("a", 10);
    ASSERT_TRUE(announce({{document.id, 42, 0, ""}}));
    reopen(StoreMode::kWrite);
    EXPECT_TRUE(*bank_->find_document(document.id));
    ASSERT_EQ(bank_->announced_forgets()->size(), 1U);
    EXPECT_EQ(bank_->announced_forgets()->front().document, document.id);
    EXPECT_EQ(faults(), 0U);
    ASSERT_TRUE(bank_->forget(document.id));
    EXPECT_TRUE(bank_->announced_forgets()->empty());
}

TEST_F(ForgettingTest, WhatCannotBeForgottenIsRefusedAndNothingIsAnnounced) {
    const DocumentRecord document = add("a", 10);
    const ErrorCode refused = ErrorCode::kInvalidInput;
    EXPECT_EQ(announce({{document.id, 1, 0, ""}, {DocumentId(77), 1, 0, ""}}).error().code(),
              refused);
    EXPECT_EQ(announce({{document.id, 1, 0, std::string(2000, 'x')}}).error().code(), refused);
    EXPECT_TRUE(bank_->announced_forgets()->empty());
    reopen(StoreMode::kRead);
    EXPECT_EQ(announce({{document.id, 1, 0, ""}}).error().code(), refused);
}

// A redaction of tokens [1000, 1100), which spell 250 bytes, and of three gists.
Redaction redaction_of(const DocumentRecord& document) {
    Redaction redaction;
    redaction.document = document;
    redaction.document.byte_count -= 250;
    redaction.blank = 50'000;
    redaction.runs = {{{1000, 1024}, 60}, {{1024, 1100}, 190}};
    for (const auto& [level, index] : {std::pair{1, 31}, {1, 33}, {2, 0}}) {
        const NodeId node{document.id, Level(static_cast<std::uint8_t>(level)),
                          NodeIndex(static_cast<std::uint64_t>(index))};
        Gist gist =
            gist_of({DocumentId(99), node.level, node.index}, test_identity().encoder.shape);
        redaction.gists.push_back({node, gist});
    }
    redaction.unindexed = {{990, 1110}};
    return redaction;
}

TEST_F(ForgettingTest, APartBecomesBlankAndTheRestStays) {
    const DocumentRecord document = add("a", 3000);
    ASSERT_TRUE(bank_->put_original(document.id, {"pdf", "its bytes", {{0, "page 1"}}}));
    const auto before = *bank_->read_tokens(document.id, {0, 3000});
    const auto marks = std::vector{bank_->mark_before_token(document.id, 1000)->byte,
                                   bank_->mark_before_token(document.id, 1500)->byte,
                                   bank_->mark_before_token(document.id, 2500)->byte};
    const CommitNumber last = *bank_->last_commit();
    ASSERT_TRUE(announce({{document.id, 42, 0, "asked for", {{1000, 1100}}}}));
    EXPECT_EQ(bank_->announced_forgets()->front().parts, (std::vector<TokenSpan>{{1000, 1100}}));
    Redaction redaction = redaction_of(document);
    redaction.places = {{0, "page 1"}};
    ASSERT_TRUE(bank_->redact(redaction));
    reopen(StoreMode::kWrite);
    EXPECT_TRUE(bank_->announced_forgets()->empty());
    EXPECT_TRUE(bank_->tombstones()->empty());
    EXPECT_EQ((*bank_->find_document(document.id))->byte_count, document.byte_count - 250);
    const auto after = *bank_->read_tokens(document.id, {0, 3000});
    for (std::size_t i = 0; i < after.size(); ++i)
        ASSERT_EQ(after[i], i >= 1000 && i < 1100 ? 50'000 : before[i]) << i;
    EXPECT_EQ(bank_->mark_before_token(document.id, 1000)->byte, marks[0]);
    EXPECT_EQ(bank_->mark_before_token(document.id, 1500)->byte, marks[1] - 60);
    EXPECT_EQ(bank_->mark_before_token(document.id, 2500)->byte, marks[2] - 250);
    for (const NewGist& made : redaction.gists) {
        const auto group =
            *bank_->find_gists(document.id, made.node.level, parent_of(made.node).index);
        const Gist& stored = group->gists[slot_in_parent(made.node)];
        EXPECT_EQ(stored.kv, made.gist.kv);
        EXPECT_EQ(stored.index_vector, made.gist.index_vector);
    }
    const auto group = *bank_->find_gists(document.id, Level(1), NodeIndex(1));
    EXPECT_EQ(group->gists[2].kv,
              gist_of({document.id, Level(1), NodeIndex(34)}, test_identity().encoder.shape).kv);
    const auto original = *bank_->find_original(document.id);
    EXPECT_EQ(original->byte_count, 0U);
    EXPECT_EQ(original->places, redaction.places);
    const auto entries = *bank_->journal_after(last);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].tokens, (TokenSpan{990, 1110}));
    EXPECT_EQ(faults(), 0U);
    EXPECT_TRUE(journal_violations(*bank_)->empty());
    EXPECT_TRUE(bank_->commit(next_batch(**bank_->find_document(document.id), 100)));
    EXPECT_EQ(faults(), 0U);
}

TEST_F(ForgettingTest, AStoreOfAnOlderFormatIsOfTheNewerOnceItIsWritten) {
    StoreMeta meta = store_->meta();
    bank_.reset();
    store_.reset();
    const auto version_in = [&](StoreMode mode) {
        return open_or_die(test_options(scratch_.path() / "store", mode))->meta().format_version;
    };
    for (std::uint32_t older = 1; older < kStoreFormatVersion; ++older) {
        meta.format_version = older;
        tamper(scratch_.path() / "store", [&](WriteTransaction& txn) {
            return put_record(txn, Database::kMeta, kMetaKey, encode_meta, meta);
        });
        EXPECT_EQ(version_in(StoreMode::kRead), older);
        EXPECT_EQ(version_in(StoreMode::kWrite), kStoreFormatVersion);
        EXPECT_EQ(version_in(StoreMode::kRead), kStoreFormatVersion);
    }
}

}  // namespace
}  // namespace mc::storage
