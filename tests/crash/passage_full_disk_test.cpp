// SPDX-License-Identifier: Apache-2.0
// No room for the index of passages: a clear error, the last save intact and searchable, no
// watermark over what was lost, and work goes on once there is room again.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>

#include "tests/support/passage_fixture.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

constexpr std::uint32_t kDim = 64;

// Exit codes of the children below.
enum Outcome : int { kAsExpected = 0, kWrongError = 21, kNeverFull = 22, kBroken = 23 };

std::vector<PassageText> batch_of(std::uint64_t number) {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < 100; ++i)
        texts.push_back("batch" + std::to_string(number) + " passage " +
                        std::to_string(number * 7919 + i));
    return document_of(number, texts);
}

bool holds(const PassageIndex& index, std::uint64_t batches) {
    const auto newest = index.search_words("batch" + std::to_string(batches), 200, {});
    const auto beyond = index.search_words("batch" + std::to_string(batches + 1), 200, {});
    const auto vectors = index.search_vectors(vector_of("passage", kDim), 5, {});
    return index.size() == batches * 100 && index.watermark() == CommitNumber(batches) && newest &&
           newest->size() == std::min<std::size_t>(batches, 1) * 100 && beyond && beyond->empty() &&
           vectors && vectors->size() == std::min<std::size_t>(batches, 1) * 5;
}

Result<void> add_and_save(PassageIndex& index, std::uint64_t number) {
    const auto batch = batch_of(number);
    MC_TRY(index.add(batch, vectors_of(batch, kDim)));
    return index.save(CommitNumber(number));
}

// Saves until there is no room, then checks what is there.
Outcome fill_up(PassageIndex& index, std::uint64_t& saved) {
    for (; saved < 2'000; ++saved) {
        const auto done = add_and_save(index, saved + 1);
        if (done) continue;
        if (done.error().code() != ErrorCode::kOutOfSpace) {
            std::fprintf(stderr, "%s\n", done.error().to_string().c_str());
            return kWrongError;
        }
        const auto again = index.save(CommitNumber(9999));
        const bool claims = again || again.error().message() != done.error().message();
        return !claims && holds(index, saved) ? kAsExpected : kBroken;
    }
    return kNeverFull;
}

TEST(PassageFileSizeLimitTest, ReachingItIsOutOfSpaceAndTheLastSaveStands) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "passages.sqlite";
    const int outcome = run_in_child([&]() -> int {
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{1 << 20, RLIM_INFINITY};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return kBroken;
        const auto index = index_or_die(passage_options(file, SqliteAccess::kWrite, kDim));
        std::uint64_t saved = 0;
        if (const Outcome full = fill_up(*index, saved); full != kAsExpected) return full;
        limit.rlim_cur = RLIM_INFINITY;
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0 || !index->revert()) return kBroken;
        if (!add_and_save(*index, saved + 1)) return kBroken;
        return holds(*index_or_die(passage_options(file, SqliteAccess::kRead, kDim)), saved + 1)
                   ? kAsExpected
                   : kBroken;
    });
    EXPECT_EQ(outcome, kAsExpected);
}

TEST(PassageFullDiskTest, ReachingItIsOutOfSpaceAndTheLastSaveStands) {
    const ScratchDirectory scratch;
    if (::mount("none", scratch.path().c_str(), "tmpfs", 0, "size=1m") != 0)
        GTEST_SKIP() << "may not mount a small file system";
    const Path file = scratch.path() / "passages.sqlite";
    const int outcome = run_in_child([&]() -> int {
        const auto index = index_or_die(passage_options(file, SqliteAccess::kWrite, kDim));
        std::uint64_t saved = 0;
        if (const Outcome full = fill_up(*index, saved); full != kAsExpected) return full;
        return holds(*index_or_die(passage_options(file, SqliteAccess::kRead, kDim)), saved)
                   ? kAsExpected
                   : kBroken;
    });
    ::umount(scratch.path().c_str());
    EXPECT_EQ(outcome, kAsExpected);
}

TEST(PassageReadOnlyMediumTest, AReaderNeedsNoRoomOfItsOwn) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "passages.sqlite";
    {
        const auto index = index_or_die(passage_options(file, SqliteAccess::kWrite, kDim));
        ASSERT_TRUE(add_and_save(*index, 1));
    }
    const char* folder = scratch.path().c_str();
    if (::mount(folder, folder, "", MS_BIND, nullptr) != 0)
        GTEST_SKIP() << "may not mount a folder for reading";
    const int remounted = ::mount("none", folder, "", MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
    bool whole = false;
    if (remounted == 0) {
        const auto index =
            open_sqlite_passage_index(passage_options(file, SqliteAccess::kRead, kDim));
        EXPECT_TRUE(index) << index.error().to_string();
        whole = index && holds(**index, 1);
        const auto batch = batch_of(2);
        EXPECT_TRUE((*index)->add(batch, vectors_of(batch, kDim)));
        EXPECT_EQ((*index)->size(), 200u);
    }
    ::umount(folder);
    EXPECT_TRUE(whole);
}

}  // namespace
}  // namespace mc::storage
