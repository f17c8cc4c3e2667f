// SPDX-License-Identifier: Apache-2.0
// Several processes and one store: killed writers, rivals, readers beside a writer.
#include <gtest/gtest.h>

#include "storage/lmdb/lmdb_env.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

using Line = TalkingChild::Line;

constexpr std::uint64_t kSeed = 20261122;

DocumentRecord named(const std::string& name) {
    DocumentRecord draft;
    draft.source_name = name;
    return draft;
}

// Appends random batches for ever, saying one byte after each commit.
int ingest_for_ever(const Path& directory, std::uint64_t seed, const Line& line) {
    Rng rng(seed);
    const auto store = open_or_die(test_options(directory));
    if (!*store->find_bank("b") && !store->create_bank("b")) return 1;
    const auto bank = *store->bank_store("b");
    auto document = *bank->find_document_by_source("grown");
    if (!document) document = *bank->create_document(named("grown"));
    while (true) {
        const IngestBatch batch = next_batch(*document, 1 + rng.below(1500));
        if (!bank->commit(batch)) return 1;
        document = batch.document;
        line.say('c');
    }
}

// The store holds exactly the first token_count tokens of the document, with all their gists.
void expect_commit_boundary(const Path& directory, std::uint64_t commits_heard) {
    const auto store = open_or_die(test_options(directory, StoreMode::kWrite));
    const auto summary = store->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->faults, 0u);
    if (!*store->find_bank("b")) {
        EXPECT_EQ(commits_heard, 0u);
        return;
    }
    const auto bank = *store->bank_store("b");
    const auto document = *bank->find_document_by_source("grown");
    EXPECT_GE(bank->journal_after(CommitNumber(0))->size(), commits_heard);
    if (!document) return;
    DocumentRecord empty = *document;
    empty.token_count = empty.byte_count = 0;
    const IngestBatch whole = next_batch(empty, document->token_count);
    EXPECT_EQ(document->byte_count, whole.document.byte_count);
    EXPECT_EQ(*bank->read_tokens(document->id, {0, document->token_count}), whole.tokens);
    for (const NewGist& made : whole.gists) {
        const auto group =
            *bank->find_gists(document->id, made.node.level, parent_of(made.node).index);
        ASSERT_TRUE(group && group->gists.size() > slot_in_parent(made.node));
        EXPECT_TRUE(same_gist(group->gists[slot_in_parent(made.node)], made.gist));
    }
}

TEST(StoreCrashTest, AWriterKilledAtAnyInstantLeavesTheStoreAtACommitBoundary) {
    const ScratchDirectory scratch;
    Rng rng(kSeed);
    std::uint64_t heard_in_all = 0;
    for (int round = 0; round < 25; ++round) {
        TalkingChild writer(
            [&](const Line& line) { return ingest_for_ever(scratch.path(), kSeed + 1, line); });
        // A few commits, then a stretch of the next one: the work of a random loop is the clock.
        for (std::uint64_t n = rng.below(4); n > 0; --n) {
            ASSERT_EQ(writer.line().listen(), 'c');
            ++heard_in_all;
        }
        volatile std::uint64_t work = rng.below(2'000'000);
        while (work > 0) work = work - 1;
        EXPECT_EQ(writer.kill(), -SIGKILL);
        if (std::filesystem::exists(scratch.path() / "data.mdb")) {
            ASSERT_NO_FATAL_FAILURE(expect_commit_boundary(scratch.path(), heard_in_all));
        }
    }
    EXPECT_GT(heard_in_all, 10u);
}

TEST(StoreCrashTest, ACreationKilledAtAnyInstantIsDoneAgain) {
    Rng rng(kSeed + 2);
    for (int round = 0; round < 20; ++round) {
        const ScratchDirectory scratch;
        TalkingChild maker([&](const Line& line) {
            line.say('s');
            return Store::open(test_options(scratch.path() / "store")) ? 0 : 1;
        });
        ASSERT_EQ(maker.line().listen(), 's');
        volatile std::uint64_t work = rng.below(3'000'000);
        while (work > 0) work = work - 1;
        maker.kill();
        EXPECT_EQ(run_in_child([&] {
                      const auto store = Store::open(test_options(scratch.path() / "store"));
                      return store && (*store)->create_bank("b") ? 0 : 1;
                  }),
                  0);
    }
}

// A reader that is between two transactions has no slot in LMDB's table of readers.
TEST(StoreLockTest, APurgeIsRefusedWhileAReaderHasTheStoreOpenAndHarmsNeither) {
    const ScratchDirectory scratch;
    {
        const auto store = open_or_die(test_options(scratch.path()));
        ASSERT_TRUE(store->create_bank("b"));
    }
    TalkingChild reader([&](const Line& line) {
        const auto store = open_or_die(test_options(scratch.path(), StoreMode::kRead));
        const bool before = (*store->find_bank("b")).has_value();
        line.say('r');
        line.listen();
        return before && (*store->find_bank("b")).has_value() ? 0 : 1;
    });
    ASSERT_EQ(reader.line().listen(), 'r');
    const auto store = open_or_die(test_options(scratch.path(), StoreMode::kWrite));
    const auto refused = store->purge();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kLocked);
    EXPECT_TRUE(store->create_bank("c"));
    EXPECT_EQ(run_in_child([&] {
                  return Store::open(test_options(scratch.path(), StoreMode::kRead)) ? 0 : 1;
              }),
              0);
    reader.line().say('g');
    EXPECT_EQ(reader.wait(), 0);
    EXPECT_TRUE(store->purge());
    EXPECT_TRUE((*store->find_bank("c")).has_value());
}

TEST(StoreLockTest, ASecondWriterIsToldWhoHoldsTheStore) {
    const ScratchDirectory scratch;
    TalkingChild holder([&](const Line& line) {
        const auto store = open_or_die(test_options(scratch.path()));
        line.say('o');
        line.listen();
        return 0;
    });
    ASSERT_EQ(holder.line().listen(), 'o');
    for (const StoreMode mode : {StoreMode::kWrite, StoreMode::kWriteOrCreate}) {
        const auto refused = Store::open(test_options(scratch.path(), mode));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kLocked);
        EXPECT_NE(refused.error().message().find(std::to_string(holder.pid())), std::string::npos)
            << refused.error().message();
    }
    EXPECT_EQ(run_in_child([&] {
                  return Store::open(test_options(scratch.path(), StoreMode::kRead)) ? 0 : 1;
              }),
              0);
    holder.kill();
    EXPECT_TRUE(Store::open(test_options(scratch.path(), StoreMode::kWrite)));
}

// Reads the whole document again at every byte heard; answers 'y' when it is as it should be.
int read_on_demand(StoreOptions options, const Line& line) {
    options.mode = StoreMode::kRead;
    const auto store = open_or_die(options);
    const auto bank = *store->bank_store("b");
    line.say('r');
    while (line.listen() != '\0') {
        const auto document = *bank->find_document_by_source("grown");
        DocumentRecord empty = *document;
        empty.token_count = empty.byte_count = 0;
        const IngestBatch whole = next_batch(empty, document->token_count);
        const auto tokens = bank->read_tokens(document->id, {0, document->token_count});
        const bool right = tokens && *tokens == whole.tokens;
        line.say(right ? 'y' : 'n');
    }
    return 0;
}

TEST(StoreReaderTest, AReaderFollowsAWriterWhoseMapGrows) {
    const ScratchDirectory scratch;
    StoreOptions options = test_options(scratch.path());
    const GistShape wide{4, 2, 64, 8};
    options.identity->encoder.shape = wide;
    const auto make = [&] {
        const auto store = open_or_die(options);
        return store->create_bank("b") && (*store->bank_store("b"))->create_document(named("grown"))
                   ? 0
                   : 1;
    };
    ASSERT_EQ(run_in_child(make), 0);
    TalkingChild reader([&](const Line& line) { return read_on_demand(options, line); });
    const auto store = open_or_die(options);
    const auto bank = *store->bank_store("b");
    DocumentRecord document = **bank->find_document_by_source("grown");
    ASSERT_EQ(reader.line().listen(), 'r');
    for (int i = 0; i < 12; ++i) {
        const IngestBatch batch = next_batch(document, 8192, 49152, wide);
        ASSERT_TRUE(bank->commit(batch));
        document = batch.document;
        reader.line().say('?');
        ASSERT_EQ(reader.line().listen(), 'y') << "after commit " << i;
    }
    EXPECT_GT(*store->size_on_disk_bytes(), 4 * options.map_bytes_initial);
}

// A reader that died inside a transaction would keep every later version of a page alive.
TEST(StoreReaderTest, AReaderThatDiedDoesNotMakeTheFileGrow) {
    const ScratchDirectory scratch;
    const auto make = [&] {
        const auto store = open_or_die(test_options(scratch.path()));
        return store->create_bank("b") && (*store->bank_store("b"))->create_document(named("grown"))
                   ? 0
                   : 1;
    };
    ASSERT_EQ(run_in_child(make), 0);
    TalkingChild reader([&](const Line& line) {
        const auto env = LmdbEnv::open(scratch.path(), EnvMode::kRead, 1 << 20);
        const Result<void> read = (*env)->read([&](const ReadTransaction&) -> Result<void> {
            line.say('i');
            line.listen();
            return {};
        });
        return read ? 0 : 1;
    });
    ASSERT_EQ(reader.line().listen(), 'i');
    reader.kill();
    const auto store = open_or_die(test_options(scratch.path(), StoreMode::kWrite));
    const auto bank = *store->bank_store("b");
    const DocumentRecord document = **bank->find_document_by_source("grown");
    const std::vector nodes = {NodeId{document.id, Level(1), NodeIndex(0)}};
    const std::uint64_t before = *store->size_on_disk_bytes();
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(bank->record_use(nodes, i));
    EXPECT_LT(*store->size_on_disk_bytes(), before + 40 * 4096);
}

}  // namespace
}  // namespace mc::storage
