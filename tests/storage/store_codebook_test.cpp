// SPDX-License-Identifier: Apache-2.0
// A store of codec pq names the codebook that its gists are coded with, and holds to it.
#include <gtest/gtest.h>

#include "storage/codec/gist_coder.h"
#include "tests/support/codebook_fixture.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

class StoreCodebookTest : public testing::Test {
  protected:
    StoreOptions options(const GistCodebook* codebook) const {
        StoreOptions made = test_options(scratch_.path());
        made.codec_at_creation = GistCodec::kPq;
        made.codebook = codebook;
        return made;
    }

    // Makes the store and commits 100 tokens.
    IngestBatch fill() {
        const auto store = open_or_die(options(&codebook_));
        EXPECT_TRUE(store->create_bank("b"));
        const auto bank = *store->bank_store("b");
        const IngestBatch batch = next_batch(*bank->create_document({}), 100);
        EXPECT_TRUE(bank->commit(batch));
        return batch;
    }

    ScratchDirectory scratch_;
    GistCodebook codebook_ = random_codebook(test_identity().encoder, 2);
};

TEST_F(StoreCodebookTest, GistsComeBackAsTheCodebookSays) {
    const IngestBatch batch = fill();
    const auto store = open_or_die(options(&codebook_));
    EXPECT_EQ(store->meta().codec, GistCodec::kPq);
    EXPECT_EQ(store->meta().codebook_hash, codebook_.hash);
    EXPECT_EQ(store->meta().gist_bytes, codebook_.gist_bytes());
    const auto coder = *GistCoder::make(GistCodec::kPq, codebook_.shape, &codebook_);
    const auto group =
        *(*store->bank_store("b"))->find_gists(batch.document.id, Level(1), NodeIndex(0));
    ASSERT_TRUE(group);
    ASSERT_EQ(group->gists.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        Gist expected = batch.gists[i].gist;
        std::vector<std::byte> bytes(coder->gist_bytes());
        ASSERT_TRUE(coder->encode(expected.kv, bytes));
        coder->decode(bytes, expected.kv);
        EXPECT_TRUE(same_gist(group->gists[i], expected));
    }
}

TEST_F(StoreCodebookTest, AnotherCodebookIsRefusedWithBothNames) {
    fill();
    GistCodebook other = codebook_;
    other.hash = {8, 8};
    const auto refused = Store::open(options(&other));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kModelMismatch);
    EXPECT_NE(refused.error().message().find(to_hex(codebook_.hash)), std::string::npos);
    EXPECT_NE(refused.error().message().find(to_hex(other.hash)), std::string::npos);
}

TEST_F(StoreCodebookTest, WithoutTheCodebookEverythingButGistsCanBeRead) {
    const IngestBatch batch = fill();
    const auto store = open_or_die(options(nullptr));
    const auto bank = *store->bank_store("b");
    EXPECT_EQ(*bank->read_tokens(batch.document.id, {0, 100}), batch.tokens);
    const auto summary = store->verify_records([](const RecordFault&) {});
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->faults, 0U);
    const auto gists = bank->find_gists(batch.document.id, Level(1), NodeIndex(0));
    ASSERT_FALSE(gists);
    EXPECT_EQ(gists.error().code(), ErrorCode::kModelMismatch);
    const auto more = bank->commit(next_batch(batch.document, 10));
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code(), ErrorCode::kModelMismatch);
}

TEST_F(StoreCodebookTest, NoStoreIsMadeWithoutItsEncodersCodebook) {
    EXPECT_EQ(Store::open(options(nullptr)).error().code(), ErrorCode::kUsage);
    codebook_.encoder_hash = {9, 9};
    EXPECT_EQ(Store::open(options(&codebook_)).error().code(), ErrorCode::kModelMismatch);
    EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "data.mdb"));
}

TEST_F(StoreCodebookTest, ACodebookOfTheSameHashAndOtherSizesIsDamage) {
    fill();
    GistCodebook other = random_codebook(test_identity().encoder, 3);
    other.hash = codebook_.hash;
    EXPECT_EQ(Store::open(options(&other)).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace mc::storage
