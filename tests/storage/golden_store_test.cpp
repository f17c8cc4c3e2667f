// SPDX-License-Identifier: Apache-2.0
// A store of format 1 as its first programs wrote it, kept as a file: every later program must open
// it for reading at once, list it, read it to the byte and verify it. It was made of the documents
// of tests/support/bank_fixture.h and is never made again: what is expected stands here in numbers.
#include <gtest/gtest.h>

#include "tests/support/bank_fixture.h"

namespace mc::storage {
namespace {

class GoldenStore : public testing::Test {
  protected:
    void SetUp() override {
        // Readers sign in beside it, so the store itself stays as it is.
        std::filesystem::create_directory(directory());
        std::filesystem::copy_file(Path(MC_GOLDEN_DIR) / "store_1" / "data.mdb",
                                   directory() / "data.mdb");
        StoreOptions options;
        options.directory = directory();
        options.clock = &test_clock();
        store_ = open_or_die(options);
    }

    Path directory() const { return scratch_.path() / "store"; }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
};

// Of tokens and text, or of every number of a document's gists.
std::string digest_of(const NodeStore& bank, const DocumentRecord& document) {
    StreamHash hash;
    const auto tokens = *bank.read_tokens(document.id, {0, document.token_count});
    hash.update(std::as_bytes(std::span(tokens)));
    const std::string text = text_of_document(bank, document);
    hash.update(std::as_bytes(std::span(text)));
    return to_hex(hash.digest());
}

std::string gist_digest_of(const NodeStore& bank, const DocumentRecord& document) {
    StreamHash hash;
    for (Level level(1); level <= top_level(document.token_count); ++level.value)
        for (std::uint64_t i = 0; i * kBlockSize < node_count(document.token_count, level); ++i) {
            const auto group = *bank.find_gists(document.id, level, NodeIndex(i));
            for (const Gist& gist : group->gists) {
                hash.update(std::as_bytes(std::span(gist.kv)));
                hash.update(std::as_bytes(std::span(gist.log_mass)));
                hash.update(std::as_bytes(std::span(gist.index_vector)));
                hash.update(std::as_bytes(std::span(&gist.statistics, 1)));
            }
        }
    return to_hex(hash.digest());
}

TEST_F(GoldenStore, SaysWhatItIs) {
    const StoreMeta& meta = store_->meta();
    EXPECT_EQ(meta.format_version, 1U);
    EXPECT_EQ(meta.codec, GistCodec::kFp16);
    EXPECT_EQ(meta.identity.base_model_name, "tiny-llama");
    EXPECT_EQ(to_hex(meta.identity.tokenizer_hash), "00000000000000030000000000000004");
    EXPECT_EQ(meta.identity.encoder.name, "fake");
    EXPECT_EQ(meta.identity.encoder.shape, (GistShape{2, 1, 4, 8}));
    const auto banks = *store_->list_banks();
    ASSERT_EQ(banks.size(), 2U);
    EXPECT_EQ(banks[0].name, "alpha");
    EXPECT_EQ(banks[1].name, "beta");
}

TEST_F(GoldenStore, IsReadToTheByte) {
    struct Expected {
        const char* bank;
        const char* name;
        std::uint64_t id, tokens, bytes;
        const char* content_hash;
        const char* digest;
        const char* gists;
    };

    constexpr Expected kDocuments[] = {
        {"alpha", "short.txt", 1, 70, 219, "19522439632c2d5145bfd22d1df550ab",
         "23f988a0a70eb432f72e3ee610107f3f", "ee79802510836eaba0dcb06afbe2fb2a"},
        {"alpha", "long.txt", 3, 1100, 3269, "a6d766fbe2609f7564108bd3535c66b6",
         "3f615c7efa7c9d6912b7caf6a6749423", "ac0efb68bd9f286d9865443238e41751"},
        {"beta", "other.txt", 4, 33, 96, "c030e8eb6323c81c8b7765703026b228",
         "27dd48423f5510887b4c11334d423abe", "fa1c231d6922196b1c4ab5d47b4b5f5f"},
    };
    for (const Expected& expected : kDocuments) {
        SCOPED_TRACE(expected.name);
        const auto bank = *store_->bank_store(expected.bank);
        const auto found = *bank->find_document_by_source(expected.name);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->id, DocumentId(expected.id));
        EXPECT_EQ(found->token_count, expected.tokens);
        EXPECT_EQ(found->byte_count, expected.bytes);
        EXPECT_EQ(found->created_us, 17);
        EXPECT_EQ(found->updated_us, 18);
        EXPECT_TRUE(found->complete);
        EXPECT_EQ(found->version, 1U);
        EXPECT_FALSE(is_superseded(*found));
        EXPECT_EQ(found->metadata,
                  (std::map<std::string, std::string>{{"author", "nobody"}, {"empty", ""}}));
        EXPECT_EQ(to_hex(found->content_hash), expected.content_hash);
        EXPECT_EQ(digest_of(*bank, *found), expected.digest);
        EXPECT_EQ(gist_digest_of(*bank, *found), expected.gists);
    }
}

TEST_F(GoldenStore, RemembersWhatStandsBesideTheText) {
    const auto alpha = *store_->bank_store("alpha");
    EXPECT_EQ((*alpha->list_documents()).size(), 2U);
    EXPECT_TRUE((*alpha->list_versions()).empty());
    const auto tombstones = *alpha->tombstones();
    ASSERT_EQ(tombstones.size(), 1U);
    EXPECT_EQ(tombstones[0].document, DocumentId(2));
    EXPECT_EQ(tombstones[0].forgotten_us, 99);
    EXPECT_EQ(tombstones[0].token_count, 40U);
    EXPECT_EQ(tombstones[0].reason, "asked for");
    EXPECT_EQ((*alpha->node_use({DocumentId(1), Level(1), NodeIndex(1)})).access_count, 1U);
    const auto original = *alpha->find_original(DocumentId(1));
    ASSERT_TRUE(original);
    EXPECT_EQ(original->kind, "pdf");
    EXPECT_EQ(original->places, (std::vector<Place>{{0, "page 1"}, {100, "page 2"}}));
    EXPECT_EQ(*alpha->read_original(DocumentId(1), {0, original->byte_count}), "%PDF, or so");
    EXPECT_EQ((*alpha->journal_after(CommitNumber(0))).size(), 4U);
}

TEST_F(GoldenStore, IsSound) {
    const auto summary = store_->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    ASSERT_TRUE(summary) << summary.error().to_string();
    EXPECT_EQ(summary->faults, 0U);
    const std::string golden = *read_file(Path(MC_GOLDEN_DIR) / "store_1" / "data.mdb", 1 << 20);
    EXPECT_EQ(*read_file(directory() / "data.mdb", 1 << 20), golden) << "a reader wrote";
}

}  // namespace
}  // namespace mc::storage
