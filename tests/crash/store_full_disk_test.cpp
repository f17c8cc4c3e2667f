// SPDX-License-Identifier: Apache-2.0
// No room and no permission: a clear error, the last commit intact, and work goes on once there is
// room again. A file system of a few MB where this process may mount one; a file size limit, which
// needs no rights, everywhere.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

constexpr uid_t kNobody = 65534;

// Exit codes of the children below.
enum Outcome : int { kAsExpected = 0, kWrongError = 21, kNeverFull = 22, kBroken = 23 };

DocumentRecord named(const std::string& name) {
    DocumentRecord draft;
    draft.source_name = name;
    return draft;
}

bool is_whole(const Store& store, NodeStore& bank, const DocumentRecord& expected) {
    std::uint64_t faults = 0;
    const auto summary = store.verify_records([&](const RecordFault&) { ++faults; });
    const auto document = bank.find_document(expected.id);
    if (!summary || faults > 0 || !document || !*document) return false;
    const auto tokens = bank.read_tokens(expected.id, {0, (*document)->token_count});
    DocumentRecord empty = expected;
    empty.token_count = empty.byte_count = 0;
    return (*document)->token_count == expected.token_count && tokens &&
           *tokens == next_batch(empty, expected.token_count).tokens;
}

// Commits until the disk is full, then checks that the last commit is all there.
Outcome fill_up(NodeStore& bank, const Store& store, DocumentRecord& document) {
    for (int i = 0; i < 10'000; ++i) {
        const IngestBatch batch = next_batch(document, 4096);
        const auto committed = bank.commit(batch);
        if (committed) {
            document = batch.document;
            continue;
        }
        if (committed.error().code() != ErrorCode::kOutOfSpace) {
            std::fprintf(stderr, "%s\n", committed.error().to_string().c_str());
            return kWrongError;
        }
        return is_whole(store, bank, document) ? kAsExpected : kBroken;
    }
    return kNeverFull;
}

TEST(FileSizeLimitTest, ReachingItIsOutOfSpaceAndTheLastCommitStands) {
    const ScratchDirectory scratch;
    const int outcome = run_in_child([&]() -> int {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{3 << 20, 3 << 20};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return kBroken;
        const auto store = open_or_die(test_options(scratch.path()));
        if (!store->create_bank("b")) return kBroken;
        const auto bank = *store->bank_store("b");
        DocumentRecord document = *bank->create_document(named("grown"));
        return fill_up(*bank, *store, document);
    });
    EXPECT_EQ(outcome, kAsExpected);
    EXPECT_EQ(run_in_child([&]() -> int {
                  const auto store = open_or_die(test_options(scratch.path(), StoreMode::kWrite));
                  const auto bank = *store->bank_store("b");
                  const auto document = *bank->find_document_by_source("grown");
                  if (!document || !is_whole(*store, *bank, *document)) return kBroken;
                  return bank->commit(next_batch(*document, 100)) ? kAsExpected : kBroken;
              }),
              kAsExpected);
}

// A tmpfs of 6 MB, while the test has the right to mount one.
class FullDiskTest : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(disk());
        if (::mount("tmpfs", disk().c_str(), "tmpfs", 0, "size=6m") != 0)
            GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
        mounted_ = true;
    }

    void TearDown() override {
        if (mounted_) ::umount2(disk().c_str(), MNT_DETACH);
    }

    Path disk() const { return scratch_.path() / "disk"; }

    Path store_path() const { return disk() / "store"; }

    // Takes all room that is left but about `free` bytes.
    void stuff(std::uint64_t free) const {
        const auto space = std::filesystem::space(disk());
        std::ofstream file(disk() / "stuffing", std::ios::binary);
        if (space.available > free) file << std::string(space.available - free, 'x') << std::flush;
    }

    ScratchDirectory scratch_;
    bool mounted_ = false;
};

TEST_F(FullDiskTest, AFullDiskIsOutOfSpaceAndTheLastCommitStands) {
    EXPECT_EQ(run_in_child([&]() -> int {
                  stuff(3 << 20);
                  const auto store = open_or_die(test_options(store_path()));
                  if (!store->create_bank("b")) return kBroken;
                  const auto bank = *store->bank_store("b");
                  DocumentRecord document = *bank->create_document(named("grown"));
                  const Outcome full = fill_up(*bank, *store, document);
                  if (full != kAsExpected) return full;
                  std::filesystem::remove(disk() / "stuffing");
                  const IngestBatch batch = next_batch(document, 4096);
                  if (!bank->commit(batch)) return kBroken;
                  return is_whole(*store, *bank, batch.document) ? kAsExpected : kBroken;
              }),
              kAsExpected);
}

TEST_F(FullDiskTest, NoRoomForANewStoreIsOutOfSpaceAndRoomMendsIt) {
    for (const std::uint64_t free : {0u, 8u << 10, 40u << 10, 70u << 10}) {
        stuff(free);
        EXPECT_EQ(run_in_child([&] {
                      const auto store = Store::open(test_options(store_path()));
                      return store ? 0 : static_cast<int>(store.error().code());
                  }),
                  static_cast<int>(ErrorCode::kOutOfSpace))
            << free << " bytes free";
        std::filesystem::remove(disk() / "stuffing");
    }
    EXPECT_EQ(run_in_child([&] { return Store::open(test_options(store_path())) ? 0 : 1; }), 0);
}

TEST_F(FullDiskTest, AStoreOnAFullDiskCanStillBeRead) {
    ASSERT_EQ(run_in_child([&] {
                  const auto store = open_or_die(test_options(store_path()));
                  return store->create_bank("b") ? 0 : 1;
              }),
              0);
    stuff(0);
    EXPECT_EQ(run_in_child([&] {
                  const auto store = open_or_die(test_options(store_path(), StoreMode::kRead));
                  return store->find_bank("b")->has_value() ? 0 : 1;
              }),
              0);
    EXPECT_EQ(run_in_child([&] {
                  const auto store = open_or_die(test_options(store_path(), StoreMode::kWrite));
                  const auto made = store->create_bank("c");
                  return made ? 0 : static_cast<int>(made.error().code());
              }),
              static_cast<int>(ErrorCode::kOutOfSpace));
}

TEST_F(FullDiskTest, AnIndexThatCannotBeSavedKeepsItsLastState) {
    EXPECT_EQ(run_in_child([&]() -> int {
                  const auto store = open_or_die(test_options(store_path()));
                  if (!store->create_bank("b")) return kBroken;
                  const auto bank = *store->bank_store("b");
                  DocumentRecord document = *bank->create_document(named("grown"));
                  const CommitNumber first = *bank->commit(next_batch(document, 0));
                  const CommitNumber second = *bank->commit(next_batch(document, 0));
                  const TextEmbedderInfo embedder{"ones", {1, 2}, 8};
                  auto index = *store->open_passage_index("b", embedder);
                  if (!index->save(first)) return kBroken;
                  stuff(16 << 10);
                  ErrorCode last = ErrorCode::kUsage;
                  for (std::uint64_t i = 0; i < 100 && last == ErrorCode::kUsage; ++i) {
                      std::vector<PassageText> texts;
                      for (std::uint64_t j = 0; j < 200; ++j) {
                          const std::uint64_t begin = (i * 200 + j) * 10;
                          texts.push_back({{document.id, {begin, begin + 10}},
                                           "word" + std::to_string(begin) + " and some more"});
                      }
                      const auto added =
                          index->add(texts, std::vector<float>(200 * 8, std::sqrt(1.0F / 8)));
                      if (!added) last = added.error().code();
                  }
                  const auto saved = index->save(second);
                  if (saved) return kBroken;
                  if (last == ErrorCode::kUsage) last = saved.error().code();
                  if (last != ErrorCode::kOutOfSpace) return kWrongError;
                  // The first error is the one that stays.
                  if (saved.error().code() != ErrorCode::kOutOfSpace) return kWrongError;
                  index.reset();
                  const auto old = store->open_passage_index("b", embedder);
                  return old && (*old)->watermark() == first && (*old)->size() == 0 ? kAsExpected
                                                                                    : kBroken;
              }),
              kAsExpected);
}

// As a user without rights, which root can become in a child.
class NoPermissionTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(run_in_child([&] {
                      const auto store = open_or_die(test_options(scratch_.path() / "store"));
                      return store->create_bank("b") ? 0 : 1;
                  }),
                  0);
        ::chmod(scratch_.path().c_str(), 0555);
        ::chmod((scratch_.path() / "store").c_str(), 0555);
        for (const auto& file : std::filesystem::directory_iterator(scratch_.path() / "store"))
            ::chmod(file.path().c_str(), 0444);
    }

    void TearDown() override {
        ::chmod(scratch_.path().c_str(), 0755);
        ::chmod((scratch_.path() / "store").c_str(), 0755);
    }

    int open_as_nobody(const Path& path, StoreMode mode) const {
        return run_in_child([&] {
            if (::geteuid() == 0 && ::seteuid(kNobody) != 0) return -1;
            const auto store = Store::open(test_options(path, mode));
            return store ? 0 : static_cast<int>(store.error().code());
        });
    }

    ScratchDirectory scratch_;
};

TEST_F(NoPermissionTest, AReadOnlyDirectoryIsAClearErrorForAWriter) {
    constexpr int kRefused = static_cast<int>(ErrorCode::kInvalidInput);
    EXPECT_EQ(open_as_nobody(scratch_.path() / "store", StoreMode::kWrite), kRefused);
    EXPECT_EQ(open_as_nobody(scratch_.path() / "other", StoreMode::kWriteOrCreate), kRefused);
}

// Readers sign in at lock.mdb, so that a writer keeps the pages that they read.
TEST_F(NoPermissionTest, AReaderWhoMayNotSignInIsRefused) {
    EXPECT_EQ(open_as_nobody(scratch_.path() / "store", StoreMode::kRead),
              static_cast<int>(ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace mc::storage
