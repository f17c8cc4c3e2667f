// SPDX-License-Identifier: Apache-2.0
// Several processes and one encrypted store: killed writers, and readers beside a writer.
#include <gtest/gtest.h>

#include "tests/support/key_fixture.h"
#include "tests/support/passage_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

using Line = TalkingChild::Line;

constexpr std::uint32_t kDim = 16;
constexpr std::size_t kPassagesEach = 20;

PassageIndexOptions sealed_index(const Path& file, SqliteAccess access) {
    PassageIndexOptions options = passage_options(file, access, kDim);
    options.keys = index_keys_of('k');
    return options;
}

std::vector<PassageText> batch_of(std::uint64_t number) {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < kPassagesEach; ++i)
        texts.push_back("batch" + std::to_string(number) + " passage " + std::to_string(i));
    return document_of(number, texts);
}

// Adds and saves batches for ever, saying one byte after each save.
int index_for_ever(const Path& file, const Line& line) {
    const auto index = index_or_die(sealed_index(file, SqliteAccess::kWrite));
    while (true) {
        const std::uint64_t number = index->watermark().value + 1;
        const auto batch = batch_of(number);
        if (!index->add(batch, vectors_of(batch, kDim))) return 1;
        if (!index->save(CommitNumber(number))) return 1;
        line.say('s');
    }
}

// Exactly the batches up to the watermark are there.
void expect_whole(const PassageIndex& index) {
    const std::uint64_t saved = index.watermark().value;
    EXPECT_EQ(index.size(), saved * kPassagesEach);
    for (std::uint64_t number = 1; number <= saved + 1; ++number) {
        const auto found = index.search_words("batch" + std::to_string(number), 100, {});
        ASSERT_TRUE(found) << found.error().to_string();
        EXPECT_EQ(found->size(), number <= saved ? kPassagesEach : 0U) << number;
    }
}

TEST(SealedIndexCrashTest, AWriterKilledAtAnyInstantLeavesItsLastSave) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "passages.sqlite";
    Rng rng(20261201);
    std::uint64_t heard = 0;
    for (int round = 0; round < 25; ++round) {
        TalkingChild writer([&](const Line& line) { return index_for_ever(file, line); });
        for (std::uint64_t n = rng.below(5); n > 0; --n) {
            ASSERT_EQ(writer.line().listen(), 's');
            ++heard;
        }
        volatile std::uint64_t work = rng.below(2'000'000);
        while (work > 0) work = work - 1;
        EXPECT_EQ(writer.kill(), -SIGKILL);
        if (!std::filesystem::exists(file)) continue;
        // An index that was killed while it was made is made again by whoever wants it.
        const auto opened = open_sqlite_passage_index(sealed_index(file, SqliteAccess::kWrite));
        if (!opened && heard == 0) {
            ASSERT_TRUE(remove_sqlite_files(file));
            continue;
        }
        ASSERT_TRUE(opened) << opened.error().to_string();
        EXPECT_GE((*opened)->watermark().value, heard);
        ASSERT_NO_FATAL_FAILURE(expect_whole(**opened));
    }
    EXPECT_GT(heard, 10U);
}

TEST(SealedIndexCrashTest, AReaderBesideTheWriterSeesWholeSaves) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "passages.sqlite";
    TalkingChild writer([&](const Line& line) { return index_for_ever(file, line); });
    ASSERT_EQ(writer.line().listen(), 's');
    const auto reader = index_or_die(sealed_index(file, SqliteAccess::kRead));
    std::uint64_t last = 0;
    for (int round = 0; round < 60; ++round) {
        ASSERT_EQ(writer.line().listen(), 's');
        const std::uint64_t watermark = reader->watermark().value;
        EXPECT_GE(watermark, last);
        last = watermark;
        const auto found = reader->search_words("batch" + std::to_string(last), 100, {});
        ASSERT_TRUE(found) << found.error().to_string();
        EXPECT_EQ(found->size(), kPassagesEach);
    }
    EXPECT_EQ(writer.kill(), -SIGKILL);
    EXPECT_GE(last, 60U);
}

TEST(SealedStoreCrashTest, ACreationOrAKeyChangeKilledAtAnyInstantLeavesOneKeyThatOpens) {
    const StoreKey first = key_of('a');
    const StoreKey second = key_of('b');
    Rng rng(20261203);
    for (int round = 0; round < 20; ++round) {
        const ScratchDirectory scratch;
        const Path folder = scratch.path() / "store";
        TalkingChild changer([&](const Line& line) {
            line.say('s');
            auto store = Store::open(sealed_options(folder, first));
            if (!store || !(*store)->create_bank("b")) return 1;
            return (*store)->change_key(second) ? 0 : 1;
        });
        ASSERT_EQ(changer.line().listen(), 's');
        volatile std::uint64_t work = rng.below(4'000'000);
        while (work > 0) work = work - 1;
        changer.kill();
        if (!std::filesystem::exists(folder / "data.mdb")) continue;
        const auto opens = [&](const StoreKey& key) {
            const auto store = Store::open(sealed_options(folder, key, StoreMode::kRead));
            EXPECT_TRUE(store || store.error().code() == ErrorCode::kKey);
            return store.has_value();
        };
        EXPECT_NE(opens(first), opens(second));
    }
}

}  // namespace
}  // namespace mc::storage
