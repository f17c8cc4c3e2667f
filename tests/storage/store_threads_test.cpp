// SPDX-License-Identifier: Apache-2.0
// Readers beside the engine thread: const methods of store and indexes while it commits and adds,
// and while the map grows. The tsan preset looks for races in it; here every answer must be one
// that was true at some commit.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/support/passage_fixture.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

constexpr int kReaders = 2;
constexpr int kCommits = 24;
constexpr std::uint64_t kTokensPerCommit = 1024;

class StoreThreads : public testing::Test {
  protected:
    void SetUp() override {
        store_ = open_or_die(test_options(scratch_.path() / "store"));
        ASSERT_TRUE(store_->create_bank("bank"));
        bank_ = *store_->bank_store("bank");
    }

    // Runs `read` again and again on other threads until `write` is done, and once more.
    static void beside_readers(const std::function<void()>& write,
                               const std::function<void()>& read) {
        std::atomic<bool> done = false;
        std::vector<std::thread> readers;
        for (int i = 0; i < kReaders; ++i)
            readers.emplace_back([&] {
                while (!done.load()) read();
                read();
            });
        write();
        done.store(true);
        for (std::thread& reader : readers) reader.join();
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<NodeStore> bank_;
};

TEST_F(StoreThreads, a_reader_sees_whole_commits_while_the_map_grows) {
    DocumentRecord draft;
    draft.source_name = "growing";
    DocumentRecord record = *bank_->create_document(draft);
    const DocumentId id = record.id;
    beside_readers(
        [&] {
            for (int i = 0; i < kCommits; ++i) {
                const IngestBatch batch = next_batch(record, kTokensPerCommit);
                ASSERT_TRUE(bank_->commit(batch));
                record = batch.document;
            }
        },
        [&] {
            const auto seen = bank_->find_document(id);
            ASSERT_TRUE(seen && *seen) << "a committed document is there";
            const std::uint64_t count = (*seen)->token_count;
            EXPECT_EQ(count % kTokensPerCommit, 0U);
            EXPECT_EQ(bank_->read_tokens(id, {0, count})->size(), count);
            if (count == 0) return;
            const auto group = bank_->find_gists(id, Level(1), NodeIndex(0));
            ASSERT_TRUE(group && *group);
            EXPECT_TRUE(same_gist((*group)->gists.front(), gist_of({id, Level(1), NodeIndex(0)},
                                                                   test_identity().encoder.shape)));
        });
    EXPECT_EQ((*bank_->find_document(id))->token_count, kCommits * kTokensPerCommit);
}

TEST_F(StoreThreads, a_search_finds_what_was_added_before_it_began) {
    constexpr std::uint32_t kDim = 24;
    const auto index = *store_->open_passage_index("bank", test_embedder(kDim));
    std::atomic<std::size_t> added = 0;
    beside_readers(
        [&] {
            for (std::uint64_t i = 0; i < kCommits; ++i) {
                const auto passage = document_of(i + 1, {"Ships at sea."});
                ASSERT_TRUE(index->add(passage, vectors_of(passage, kDim)));
                added.store(i + 1);
            }
        },
        [&] {
            const std::size_t before = added.load();
            EXPECT_GE(passages_of(index->search_words("sea", kCommits, {})).size(), before);
            EXPECT_GE(
                passages_of(index->search_vectors(vector_of("sea", kDim), kCommits, {})).size(),
                before);
            EXPECT_GE(index->size(), before);
        });
    EXPECT_EQ(index->size(), std::size_t{kCommits});
}

}  // namespace
}  // namespace mc::storage
