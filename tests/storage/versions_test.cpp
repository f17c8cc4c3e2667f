// SPDX-License-Identifier: Apache-2.0
// Documents that were replaced and kept: out of every list, readable by id, gone with forget().
#include <gtest/gtest.h>

#include "storage/portable/import_document.h"
#include "tests/storage/reopened_store.h"
#include "tests/storage/tamper.h"
#include "tests/support/bank_fixture.h"
#include "tree/tree_check.h"

namespace mc::storage {
namespace {

class VersionsTest : public ReopenedStore {
  protected:
    static DocumentRecord draft(std::int64_t created_us) {
        DocumentRecord draft;
        draft.source_name = "notes";
        draft.created_us = draft.updated_us = created_us;
        return draft;
    }

    DocumentRecord fill(const DocumentRecord& document, std::uint64_t tokens) {
        const IngestBatch batch = next_batch(document, tokens);
        EXPECT_TRUE(bank_->commit(batch));
        return batch.document;
    }

    DocumentRecord add(std::uint64_t tokens, std::int64_t created_us) {
        return fill(*bank_->create_document(draft(created_us)), tokens);
    }

    DocumentRecord replace(DocumentId old, std::uint64_t tokens, std::int64_t at_us,
                           std::uint64_t versions_kept) {
        const auto made =
            bank_->replace_document(draft(at_us), {old, at_us, versions_kept, "replaced"});
        EXPECT_TRUE(made) << made.error().to_string();
        return fill(*made, tokens);
    }
};

TEST_F(VersionsTest, WhatWasReplacedIsInNoListAndCanBeRead) {
    const DocumentRecord first = add(1100, 17);
    const auto tokens = *bank_->read_tokens(first.id, {0, 1100});
    ASSERT_TRUE(bank_->put_original(first.id, {"pdf", "its bytes", {{0, "page 1"}}}));
    const CommitNumber before = *bank_->last_commit();
    const DocumentRecord second = replace(first.id, 70, 50, 3);
    reopen(StoreMode::kWrite);
    EXPECT_EQ(bank_->list_documents()->size(), 1U);
    EXPECT_EQ(bank_->newest_documents(5)->size(), 1U);
    EXPECT_FALSE(*bank_->find_document(first.id));
    EXPECT_EQ((*bank_->find_document_by_source("notes"))->id, second.id);
    EXPECT_EQ((*bank_->find_document_by_source("notes"))->version, 2U);
    const auto versions = *bank_->versions_of("notes");
    ASSERT_EQ(versions.size(), 1U);
    EXPECT_EQ(versions[0].id, first.id);
    EXPECT_EQ(versions[0].version, 1U);
    EXPECT_EQ(versions[0].created_us, 17);
    EXPECT_EQ(versions[0].superseded_us, 50);
    EXPECT_EQ(bank_->list_versions()->size(), 1U);
    EXPECT_TRUE(bank_->versions_of("other")->empty());
    EXPECT_EQ((*bank_->find_version(first.id))->token_count, 1100U);
    EXPECT_FALSE(*bank_->find_version(second.id));
    EXPECT_EQ((*find_any_version(*bank_, first.id))->id, first.id);
    EXPECT_EQ((*find_any_version(*bank_, second.id))->id, second.id);
    EXPECT_EQ(*bank_->read_tokens(first.id, {0, 1100}), tokens);
    EXPECT_TRUE(*bank_->find_gists(first.id, Level(1), NodeIndex(0)));
    EXPECT_EQ(*bank_->read_original(first.id, {0, 9}), "its bytes");
    EXPECT_EQ(bank_->mark_before_token(first.id, 1050)->token, 1024U);
    // Indexes hear of it.
    const auto entries = *bank_->journal_after(before);
    ASSERT_GE(entries.size(), 1U);
    EXPECT_EQ(entries[0].document, first.id);
    EXPECT_TRUE(entries[0].tokens.empty());
    EXPECT_TRUE(tree_violations(*bank_, first.id, test_identity().encoder.shape));
    EXPECT_TRUE(journal_violations(*bank_)->empty());
    EXPECT_EQ(faults(), 0U);
}

TEST_F(VersionsTest, NothingIsAddedToAVersion) {
    const DocumentRecord first = add(64, 17);
    replace(first.id, 70, 50, 3);
    EXPECT_EQ(bank_->commit(next_batch(first, 32)).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(bank_->put_original(first.id, {"pdf", "x", {}}).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(bank_->replace_document(draft(60), {first.id, 60, 3, ""}).error().code(),
              ErrorCode::kInvalidInput);
}

TEST_F(VersionsTest, TheNewestAreKeptAndTheRestIsAnnounced) {
    DocumentRecord standing = add(40, 10);
    for (const std::int64_t at_us : {20, 30, 40, 50}) standing = replace(standing.id, 40, at_us, 2);
    EXPECT_EQ(standing.version, 5U);
    // Whoever opens the bank for writing next erases them; here it is the test.
    const auto announced = *bank_->announced_forgets();
    ASSERT_EQ(announced.size(), 2U);
    EXPECT_EQ(announced[0].reason, "replaced");
    for (const Tombstone& one : announced) ASSERT_TRUE(bank_->forget(one.document));
    const auto versions = *bank_->versions_of("notes");
    ASSERT_EQ(versions.size(), 2U);
    EXPECT_EQ(versions[0].version, 3U);
    EXPECT_EQ(versions[1].version, 4U);
    EXPECT_EQ(versions[1].superseded_us, 50);
    EXPECT_EQ(faults(), 0U);
    EXPECT_TRUE(journal_violations(*bank_)->empty());
    // Numbers go on behind those that are kept.
    ASSERT_TRUE(bank_->announce_forgets(std::vector{Tombstone{standing.id, 60, 0, ""}}));
    ASSERT_TRUE(bank_->forget(standing.id));
    EXPECT_EQ(add(10, 70).version, 5U);
}

TEST_F(VersionsTest, InForceIsFromTheBeginningToTheNext) {
    const DocumentRecord first = add(40, 10);
    const DocumentRecord second = replace(first.id, 40, 20, 2);
    const DocumentRecord old = *bank_->find_version(first.id).value();
    EXPECT_FALSE(was_in_force(old, 9));
    EXPECT_TRUE(was_in_force(old, 10));
    EXPECT_TRUE(was_in_force(old, 19));
    EXPECT_FALSE(was_in_force(old, 20));
    EXPECT_FALSE(was_in_force(second, 19));
    EXPECT_TRUE(was_in_force(second, 20));
    EXPECT_TRUE(was_in_force(second, INT64_MAX));
}

TEST_F(VersionsTest, AForgottenVersionLeavesATombstoneAndAfterAPurgeNoTrace) {
    const DocumentRecord first = add(1100, 10);
    const auto ids = *bank_->read_tokens(first.id, {500, 516});
    std::string bytes;
    for (const TokenId id : ids) {
        bytes.push_back(static_cast<char>(id & 0xff));
        bytes.push_back(static_cast<char>(id >> 8));
    }
    replace(first.id, 40, 20, 2);
    const auto holds = [&] {
        return read_file(directory() / "data.mdb", 1 << 26)->find(bytes) != std::string::npos;
    };
    EXPECT_TRUE(holds());
    ASSERT_TRUE(bank_->announce_forgets(std::vector{Tombstone{first.id, 60, 0, ""}}));
    ASSERT_TRUE(bank_->forget(first.id));
    EXPECT_TRUE(bank_->list_versions()->empty());
    EXPECT_FALSE(bank_->read_tokens(first.id, {0, 1}));
    EXPECT_EQ(bank_->tombstones()->size(), 1U);
    ASSERT_TRUE(store_->purge());
    EXPECT_FALSE(holds());
    EXPECT_EQ(faults(), 0U);
}

TEST_F(VersionsTest, ARecordUnderTheOtherKeyIsDamage) {
    const DocumentRecord first = add(40, 10);
    const DocumentRecord second = replace(first.id, 40, 20, 2);
    bank_.reset();
    store_.reset();
    tamper(directory(), [&](WriteTransaction& txn) {
        StoredDocument wrong{second, gist_counts_of(second.gist_end)};
        wrong.record.superseded_us = 30;
        return put_record(txn, Database::kDocuments, document_key(second.bank, second.id),
                          encode_document, wrong);
    });
    reopen(StoreMode::kRead);
    std::vector<std::string> said;
    const auto summary = store_->verify_records(
        [&](const RecordFault& fault) { said.push_back(fault.error.to_string()); });
    EXPECT_GT(summary->faults, 0U);
    ASSERT_FALSE(said.empty());
    EXPECT_NE(said[0].find("stands and was superseded"), std::string::npos) << said[0];
}

}  // namespace
}  // namespace mc::storage
