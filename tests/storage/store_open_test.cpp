// SPDX-License-Identifier: Apache-2.0
// Making and opening a store: what is made, what is refused, what stays.
#include <gtest/gtest.h>

#include "tests/storage/tamper.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

TEST(StoreOpenTest, AMissingStoreIsNotMadeByReadingOrWriting) {
    const ScratchDirectory scratch;
    for (const StoreMode mode : {StoreMode::kRead, StoreMode::kWrite}) {
        const auto missing = Store::open(test_options(scratch.path() / "none", mode));
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code(), ErrorCode::kInvalidInput);
        EXPECT_FALSE(std::filesystem::exists(scratch.path() / "none"));
    }
}

TEST(StoreOpenTest, AStoreIsNotMadeAmongOtherFiles) {
    const ScratchDirectory scratch;
    ASSERT_TRUE(replace_file(scratch.path() / "letter.txt", {}));
    const auto refused = Store::open(test_options(scratch.path()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(Store::open(test_options(scratch.path() / "letter.txt")).error().code(),
              ErrorCode::kInvalidInput);
}

TEST(StoreOpenTest, AnInterruptedCreationStartsAfresh) {
    const ScratchDirectory scratch;
    std::filesystem::create_directories(scratch.path() / "new");
    ASSERT_TRUE(replace_file(scratch.path() / "new" / "data.mdb", {}));
    ASSERT_TRUE(replace_file(scratch.path() / "writer.lock", {}));
    const auto store = open_or_die(test_options(scratch.path()));
    EXPECT_TRUE(store->list_banks()->empty());
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "new"));
}

TEST(StoreOpenTest, IsForItsOwnerAlone) {
    namespace fs = std::filesystem;
    const ScratchDirectory scratch;
    const Path directory = scratch.path() / "mine";
    const auto store = open_or_die(test_options(directory));
    ASSERT_TRUE(store->create_bank("b"));
    ASSERT_TRUE(store->open_passage_index("b", {}));
    ASSERT_TRUE(store->purge());  // writes data.mdb anew
    constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
    EXPECT_EQ(fs::status(directory).permissions() & kOthers, fs::perms::none);
    std::size_t files = 0;
    std::size_t folders = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        ++(entry.is_directory() ? folders : files);
        EXPECT_EQ(entry.status().permissions() & kOthers, fs::perms::none) << entry.path();
    }
    EXPECT_GE(files, 3u);
    EXPECT_EQ(folders, 2u);  // indexes, and the bank's in it
}

TEST(StoreOpenTest, ASlashAtItsEndDoesNotChangeWhoseItIs) {
    namespace fs = std::filesystem;
    const ScratchDirectory scratch;
    ASSERT_TRUE(open_or_die(test_options(scratch.path() / "new" / "mine" / "")));
    EXPECT_EQ(fs::status(scratch.path() / "new" / "mine").permissions(), fs::perms::owner_all);
}

TEST(StoreOpenTest, AFolderThatWasThereKeepsItsMode) {
    namespace fs = std::filesystem;
    const ScratchDirectory scratch;
    const Path directory = scratch.path() / "ours";
    fs::create_directory(directory);
    fs::permissions(directory, fs::perms::owner_all | fs::perms::group_exec);
    const auto store = open_or_die(test_options(directory));
    EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all | fs::perms::group_exec);
}

TEST(StoreOpenTest, TheMapGrowsByItself) {
    const ScratchDirectory scratch;
    StoreOptions options = test_options(scratch.path());
    options.identity->encoder.shape = {8, 2, 64, 64};
    const auto store = open_or_die(options);
    ASSERT_TRUE(store->create_bank("b"));
    const auto bank = *store->bank_store("b");
    DocumentRecord document = *bank->create_document({});
    for (int i = 0; i < 20; ++i) {
        const IngestBatch batch =
            next_batch(document, 4096, 49152, options.identity->encoder.shape);
        ASSERT_TRUE(bank->commit(batch));
        document = batch.document;
    }
    EXPECT_GT(*store->size_on_disk_bytes(), 4 * options.map_bytes_initial);
    EXPECT_EQ(bank->read_tokens(document.id, {0, document.token_count})->size(), 20u * 4096);
}

TEST(StoreOpenTest, AnotherFormatVersionIsRefusedWithBothVersions) {
    const ScratchDirectory scratch;
    StoreMeta meta = open_or_die(test_options(scratch.path()))->meta();
    meta.format_version = 7;
    tamper(scratch.path(), [&](WriteTransaction& txn) {
        return put_record(txn, Database::kMeta, kMetaKey, encode_meta, meta);
    });
    const auto refused = Store::open(test_options(scratch.path()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kFormatVersion);
    EXPECT_NE(refused.error().message().find("version 7"), std::string::npos);
    EXPECT_NE(refused.error().message().find("versions up to 6"), std::string::npos);
    meta.format_version = kStoreFormatVersion;
    meta.block_size = 64;
    tamper(scratch.path(), [&](WriteTransaction& txn) {
        return put_record(txn, Database::kMeta, kMetaKey, encode_meta, meta);
    });
    EXPECT_EQ(Store::open(test_options(scratch.path())).error().code(), ErrorCode::kFormatVersion);
}

TEST(StoreOpenTest, TheCodecOfCreationStaysWithTheStore) {
    const ScratchDirectory scratch;
    StoreOptions options = test_options(scratch.path());
    options.codec_at_creation = GistCodec::kInt8;
    ASSERT_TRUE(open_or_die(options)->create_bank("b"));
    options.codec_at_creation = GistCodec::kFp16;
    const auto store = open_or_die(options);
    EXPECT_EQ(store->meta().codec, GistCodec::kInt8);
    const auto bank = *store->bank_store("b");
    DocumentRecord document = *bank->create_document({});
    for (const std::uint64_t count : {70u, 1000u, 2000u}) {
        const IngestBatch batch = next_batch(document, count);
        ASSERT_TRUE(bank->commit(batch));
        document = batch.document;
        for (const NewGist& made : batch.gists) {
            const auto group =
                bank->find_gists(document.id, made.node.level, parent_of(made.node).index);
            ASSERT_TRUE(group && group->has_value());
            const Gist& gist = group->value().gists.at(slot_in_parent(made.node));
            EXPECT_EQ(gist.index_vector, made.gist.index_vector);
            for (std::size_t i = 0; i < gist.kv.size(); ++i)
                ASSERT_NEAR(half_to_float(gist.kv[i]), half_to_float(made.gist.kv[i]),
                            2 * kInt8ErrorOfMax);
        }
    }
}

}  // namespace
}  // namespace mc::storage
