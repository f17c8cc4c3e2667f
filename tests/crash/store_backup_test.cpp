// SPDX-License-Identifier: Apache-2.0
// A backup is a whole store as it was at one commit, or nothing: beside a writer, when it is
// killed, when there is no room, when it may not be made.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>

#include "storage/backup.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

namespace fs = std::filesystem;
using Line = TalkingChild::Line;

constexpr std::uint64_t kSeed = 20261130;
constexpr std::uint64_t kTokens = 60'000;  // some 300 kB

Result<void> any(const Path&) {
    return {};
}

DocumentRecord named(const std::string& name) {
    DocumentRecord draft;
    draft.source_name = name;
    return draft;
}

// Of the store's one document; its text must be what its length says.
std::uint64_t tokens_of(const Path& directory) {
    const auto store = open_or_die(test_options(directory, StoreMode::kRead));
    const auto summary = store->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    EXPECT_TRUE(summary && summary->faults == 0);
    const auto bank = *store->bank_store("b");
    const DocumentRecord document = **bank->find_document_by_source("grown");
    DocumentRecord empty = document;
    empty.token_count = empty.byte_count = 0;
    const IngestBatch whole = next_batch(empty, document.token_count);
    EXPECT_EQ(*bank->read_tokens(document.id, {0, document.token_count}), whole.tokens);
    EXPECT_EQ(document.byte_count, whole.document.byte_count);
    return document.token_count;
}

class StoreBackupTest : public testing::Test {
  protected:
    StoreBackupTest() {
        EXPECT_EQ(run_in_child([&] {
                      const auto store = open_or_die(test_options(store_path()));
                      if (!store->create_bank("b")) return 1;
                      const auto bank = *store->bank_store("b");
                      const DocumentRecord document = *bank->create_document(named("grown"));
                      return bank->commit(next_batch(document, kTokens)) ? 0 : 1;
                  }),
                  0);
    }

    ~StoreBackupTest() override {
        if (mounted_) ::umount2(disk().c_str(), MNT_DETACH);
    }

    Path store_path() const { return scratch_.path() / "store"; }

    Path copy_path() const { return scratch_.path() / "copy"; }

    Path disk() const { return scratch_.path() / "disk"; }

    // False where this process may not mount one.
    bool mount_disk(const char* size) {
        fs::create_directories(disk());
        mounted_ = ::mount("tmpfs", disk().c_str(), "tmpfs", 0, size) == 0;
        return mounted_;
    }

    // How a backup to this place is refused.
    Error refused(const Path& destination) const {
        const auto done = back_up_store(store_path(), destination, any);
        EXPECT_FALSE(done);
        return done ? Error(ErrorCode::kUsage, "it was made") : done.error();
    }

    ScratchDirectory scratch_;
    bool mounted_ = false;
};

TEST_F(StoreBackupTest, HoldsWhatTheStoreHoldsAndIsItsOwnersAlone) {
    ASSERT_TRUE(back_up_store(store_path(), copy_path() / "", any));
    EXPECT_EQ(tokens_of(copy_path()), kTokens);
    EXPECT_FALSE(fs::exists(copy_path().string() + ".new"));
    EXPECT_EQ(fs::status(copy_path()).permissions(), fs::perms::owner_all);
    constexpr auto kOwner = fs::perms::owner_read | fs::perms::owner_write;
    for (const auto& entry : fs::directory_iterator(copy_path()))
        EXPECT_EQ(entry.status().permissions(), kOwner) << entry.path();
    // The copy is a store like any other.
    const auto store = open_or_die(test_options(copy_path(), StoreMode::kWrite));
    const auto bank = *store->bank_store("b");
    EXPECT_TRUE(bank->commit(next_batch(**bank->find_document_by_source("grown"), 100)));
}

TEST_F(StoreBackupTest, BesideAWriterItIsOneOfItsCommits) {
    TalkingChild writer([&](const Line& line) {
        const auto store = open_or_die(test_options(store_path(), StoreMode::kWrite));
        const auto bank = *store->bank_store("b");
        DocumentRecord document = **bank->find_document_by_source("grown");
        Rng rng(kSeed);
        while (true) {
            const IngestBatch batch = next_batch(document, 1 + rng.below(1500));
            if (!bank->commit(batch)) return 1;
            document = batch.document;
            line.say('c');
        }
    });
    std::uint64_t before = 0;
    for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(writer.line().listen(), 'c');
        const Path copy = copy_path().string() + std::to_string(i);
        const auto done = back_up_store(store_path(), copy, any);
        ASSERT_TRUE(done) << done.error().to_string();
        const std::uint64_t tokens = tokens_of(copy);
        EXPECT_GE(tokens, before);
        before = tokens;
    }
    EXPECT_GT(before, kTokens);
    EXPECT_EQ(writer.kill(), -SIGKILL) << "the writer ended by itself";
}

TEST_F(StoreBackupTest, WhatIsThereAlreadyStaysAsItIs) {
    fs::create_directory(copy_path());
    const Path file = scratch_.path() / "file";
    ASSERT_TRUE(replace_file(file, {}));
    const Path link = scratch_.path() / "link";
    fs::create_symlink("nowhere", link);
    for (const Path& place : {copy_path(), file, link, store_path()}) {
        const Error error = refused(place);
        EXPECT_EQ(error.code(), ErrorCode::kInvalidInput) << place;
        EXPECT_NE(error.message().find("exists already"), std::string::npos) << error.message();
        EXPECT_FALSE(fs::exists(place.string() + ".new"));
    }
    EXPECT_TRUE(fs::is_empty(copy_path()));
    EXPECT_EQ(refused(store_path() / "inside").code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(refused(scratch_.path() / "no" / "such" / "folder").code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(back_up_store(scratch_.path() / "none", scratch_.path() / "x", any).error().code(),
              ErrorCode::kInvalidInput);
    // Made while the copy was written.
    const Path late = scratch_.path() / "late";
    const auto done = back_up_store(store_path(), late, [&](const Path&) -> Result<void> {
        fs::create_directory(late);
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::kInvalidInput);
    EXPECT_TRUE(fs::is_empty(late));
    EXPECT_FALSE(fs::exists(late.string() + ".new"));
}

TEST_F(StoreBackupTest, AFolderThatIsInTheWayOfTheDraftIsNotEmptied) {
    const Path other = copy_path().string() + ".new";
    fs::create_directory(other);
    ASSERT_TRUE(replace_file(other / "letter.txt", {}));
    EXPECT_NE(refused(copy_path()).message().find(other.string()), std::string::npos);
    EXPECT_TRUE(fs::exists(other / "letter.txt"));
    EXPECT_FALSE(fs::exists(other / "data.mdb"));
}

TEST_F(StoreBackupTest, ACopyThatDoesNotPassIsNotKept) {
    const auto done = back_up_store(store_path(), copy_path(), [](const Path&) -> Result<void> {
        return fail(ErrorCode::kCorruption, "not this one");
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), ErrorCode::kCorruption);
    EXPECT_FALSE(fs::exists(copy_path()));
    EXPECT_FALSE(fs::exists(copy_path().string() + ".new"));
}

TEST_F(StoreBackupTest, KilledAtAnyInstantItIsWholeOrNotThere) {
    Rng rng(kSeed + 1);
    int killed_before_the_end = 0;
    for (int round = 0; round < 30; ++round) {
        TalkingChild child([&](const Line& line) {
            line.say('s');
            return back_up_store(store_path(), copy_path(), any) ? 0 : 1;
        });
        ASSERT_EQ(child.line().listen(), 's');
        volatile std::uint64_t work = rng.below(6'000'000);
        while (work > 0) work = work - 1;
        const int ended = child.kill();
        ASSERT_TRUE(ended == 0 || ended == -SIGKILL) << ended;
        if (!fs::exists(copy_path())) {
            ++killed_before_the_end;
            continue;
        }
        EXPECT_EQ(tokens_of(copy_path()), kTokens);
        fs::remove_all(copy_path());
    }
    EXPECT_GT(killed_before_the_end, 0);
    ASSERT_TRUE(back_up_store(store_path(), copy_path(), any));
    EXPECT_EQ(tokens_of(copy_path()), kTokens);
    EXPECT_FALSE(fs::exists(copy_path().string() + ".new"));
}

TEST_F(StoreBackupTest, KilledBeforeItIsCheckedItIsNotThereAndASecondOneIsToldOfTheFirst) {
    TalkingChild child([&](const Line& line) {
        const auto wait = [&](const Path&) -> Result<void> {
            line.say('w');
            line.listen();
            return {};
        };
        return back_up_store(store_path(), copy_path(), wait) ? 0 : 1;
    });
    ASSERT_EQ(child.line().listen(), 'w');
    EXPECT_EQ(refused(copy_path()).code(), ErrorCode::kLocked);
    EXPECT_EQ(child.kill(), -SIGKILL);
    EXPECT_FALSE(fs::exists(copy_path()));
    ASSERT_TRUE(back_up_store(store_path(), copy_path(), any));
    EXPECT_EQ(tokens_of(copy_path()), kTokens);
}

TEST_F(StoreBackupTest, NoRoomIsOutOfSpaceAndLeavesNothing) {
    if (!mount_disk("size=128k"))
        GTEST_SKIP() << "needs the right to mount a tmpfs: " << std::strerror(errno);
    EXPECT_EQ(refused(disk() / "copy").code(), ErrorCode::kOutOfSpace);
    EXPECT_TRUE(fs::is_empty(disk()));
    EXPECT_EQ(tokens_of(store_path()), kTokens);
}

TEST_F(StoreBackupTest, ALimitOfFileSizeIsOutOfSpaceAndLeavesNothing) {
    const int code = run_in_child([&] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 0;
        const auto done = back_up_store(store_path(), copy_path(), any);
        return done ? 0 : static_cast<int>(done.error().code());
    });
    EXPECT_EQ(code, static_cast<int>(ErrorCode::kOutOfSpace));
    EXPECT_FALSE(fs::exists(copy_path()));
    EXPECT_FALSE(fs::exists(copy_path().string() + ".new"));
}

}  // namespace
}  // namespace mc::storage
