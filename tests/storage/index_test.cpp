// SPDX-License-Identifier: Apache-2.0
// The two caches: what is found, what is filtered, what a watermark promises, what damage does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "storage/index/packed_node.h"
#include "storage/index/sqlite_lexical_index.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

constexpr std::size_t kDim = 8;

class IndexTest : public testing::Test {
  protected:
    void SetUp() override {
        store_ = open_or_die(test_options(directory()));
        ASSERT_TRUE(store_->create_bank("b"));
        const auto bank = *store_->bank_store("b");
        const DocumentRecord document = *bank->create_document({});
        for (int i = 0; i < 5; ++i) last_ = *bank->commit(next_batch(document, 0));
    }

    Path directory() const { return scratch_.path() / "store"; }

    Path index_file(const char* name) const { return directory() / "indexes" / "1" / name; }

    void reopen(StoreMode mode) {
        store_.reset();
        store_ = open_or_die(test_options(directory(), mode));
    }

    static NodeId node(std::uint64_t document, unsigned level, std::uint64_t index) {
        return {DocumentId(document), Level(static_cast<std::uint8_t>(level)), NodeIndex(index)};
    }

    static std::vector<float> vector_of(std::uint64_t seed) {
        Rng rng(seed);
        std::vector<float> values;
        for (std::size_t i = 0; i < kDim; ++i)
            values.push_back(half_to_float(float_to_half(static_cast<float>(rng.uniform() - 0.5))));
        return values;
    }

    void flip_byte(const Path& path, std::uint64_t offset) {
        std::string content = *read_file(path, 1 << 30);
        ASSERT_LT(offset, content.size());
        content[offset] = static_cast<char>(content[offset] ^ 0x10);
        ASSERT_TRUE(replace_file(path, std::as_bytes(std::span(content))));
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    CommitNumber last_;
};

// Fills an index with documents 1…4, levels 1 and 2, and returns the rows.
std::vector<std::pair<NodeId, std::vector<float>>> fill(
    VectorIndex& index, std::vector<float> (*vector)(std::uint64_t)) {
    std::vector<std::pair<NodeId, std::vector<float>>> rows;
    for (std::uint64_t i = 0; i < 400; ++i) {
        const NodeId id{DocumentId(1 + i % 4), Level(static_cast<std::uint8_t>(1 + i % 3 / 2)),
                        NodeIndex(i)};
        rows.emplace_back(id, vector(i));
        EXPECT_TRUE(index.add(std::vector{id}, rows.back().second));
    }
    return rows;
}

TEST_F(IndexTest, VectorSearchEqualsAScanUnderEveryFilter) {
    const auto index = *store_->open_vector_index("b");
    const auto rows = fill(*index, vector_of);
    const auto query = vector_of(12345);
    for (const SearchFilter& filter :
         {SearchFilter{}, SearchFilter{{DocumentId(3)}, {}}, SearchFilter{{}, Level(2)},
          SearchFilter{{DocumentId(4), DocumentId(1)}, Level(1)},
          SearchFilter{{DocumentId(77)}, {}}}) {
        std::vector<std::pair<float, NodeId>> expected;
        for (const auto& [id, values] : rows) {
            if (filter.level && id.level != *filter.level) continue;
            if (!filter.documents.empty() &&
                std::find(filter.documents.begin(), filter.documents.end(), id.document) ==
                    filter.documents.end())
                continue;
            float score = 0;
            for (std::size_t i = 0; i < kDim; ++i) score += values[i] * query[i];
            expected.emplace_back(-score, id);
        }
        std::sort(expected.begin(), expected.end());
        for (const std::size_t count : {std::size_t{1}, std::size_t{10}, std::size_t{10000}}) {
            const auto hits = *index->search(query, count, filter);
            ASSERT_EQ(hits.size(), std::min(count, expected.size()));
            for (std::size_t i = 0; i < hits.size(); ++i) {
                EXPECT_EQ(hits[i].node, expected[i].second);
                EXPECT_NEAR(hits[i].score, -expected[i].first, 1e-5);
            }
        }
        EXPECT_TRUE(index->search(query, 0, filter)->empty());
    }
}

TEST_F(IndexTest, ASavedVectorIndexComesBackAndAnUnsavedPartDoesNot) {
    std::vector<SearchHit> before;
    {
        const auto index = *store_->open_vector_index("b");
        EXPECT_EQ(index->watermark(), CommitNumber(0));
        EXPECT_TRUE(index->search(vector_of(1), 5, {})->empty());
        fill(*index, vector_of);
        before = *index->search(vector_of(7), 9, {});
        ASSERT_TRUE(index->save(CommitNumber(3)));
        ASSERT_TRUE(index->add(std::vector{node(9, 1, 9)}, vector_of(9)));
    }
    reopen(StoreMode::kRead);
    const auto index = *store_->open_vector_index("b");
    EXPECT_EQ(index->watermark(), CommitNumber(3));
    EXPECT_EQ(index->size(), 400u);
    const auto after = *index->search(vector_of(7), 9, {});
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].node, before[i].node);
}

TEST_F(IndexTest, AReadersVectorIndexCatchesUpInMemoryAlone) {
    reopen(StoreMode::kRead);
    const auto index = *store_->open_vector_index("b");
    fill(*index, vector_of);
    ASSERT_TRUE(index->save(last_));
    EXPECT_EQ(index->watermark(), last_);
    EXPECT_EQ(index->search(vector_of(7), 1, {})->size(), 1u);
    EXPECT_FALSE(std::filesystem::exists(index_file("vectors.faiss")));
}

TEST_F(IndexTest, AnyDamageToTheVectorFileIsStaleAndARebuildStartsEmpty) {
    const auto save = [&] {
        const auto index = *store_->open_vector_index("b", IndexOpening::kRebuild);
        EXPECT_EQ(index->size(), 0u);
        EXPECT_EQ(index->watermark(), CommitNumber(0));
        fill(*index, vector_of);
        EXPECT_TRUE(index->save(CommitNumber(2)));
    };
    save();
    const std::uint64_t size = std::filesystem::file_size(index_file("vectors.faiss"));
    for (std::uint64_t offset = 0; offset < size; offset += offset < 64 ? 1 : 211) {
        flip_byte(index_file("vectors.faiss"), offset);
        const auto damaged = store_->open_vector_index("b");
        ASSERT_FALSE(damaged) << "byte " << offset;
        EXPECT_EQ(damaged.error().code(), ErrorCode::kStaleIndex);
        flip_byte(index_file("vectors.faiss"), offset);
    }
    for (const std::uint64_t cut :
         {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64}, size - 1}) {
        std::filesystem::resize_file(index_file("vectors.faiss"), cut);
        EXPECT_EQ(store_->open_vector_index("b").error().code(), ErrorCode::kStaleIndex);
        save();
    }
    EXPECT_TRUE(store_->open_vector_index("b"));
}

TEST_F(IndexTest, AnIndexAheadOfItsStoreIsStale) {
    ASSERT_TRUE((*store_->open_vector_index("b"))->save(CommitNumber(last_.value + 1)));
    ASSERT_TRUE((*store_->open_lexical_index("b"))->save(CommitNumber(last_.value + 1)));
    EXPECT_EQ(store_->open_vector_index("b").error().code(), ErrorCode::kStaleIndex);
    EXPECT_EQ(store_->open_lexical_index("b").error().code(), ErrorCode::kStaleIndex);
}

TEST_F(IndexTest, NumbersThatAreNotFiniteAreRefused) {
    const auto index = *store_->open_vector_index("b");
    auto values = vector_of(1);
    ASSERT_TRUE(index->add(std::vector{node(1, 1, 1)}, values));
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        values[3] = bad;
        EXPECT_EQ(index->add(std::vector{node(1, 1, 2)}, values).error().code(),
                  ErrorCode::kInvalidInput);
        EXPECT_EQ(index->search(values, 1, {}).error().code(), ErrorCode::kInvalidInput);
    }
    EXPECT_EQ(index->size(), 1u);
}

TEST(PackedNodeTest, EveryNodeInRangeComesBackAndTheRestIsRefused) {
    for (const std::uint64_t document : {1ULL, 77ULL, (1ULL << kPackedDocumentBits) - 1})
        for (const unsigned level : {1u, 12u})
            for (const std::uint64_t index : {0ULL, (1ULL << kPackedIndexBits) - 1}) {
                const NodeId id{DocumentId(document), Level(static_cast<std::uint8_t>(level)),
                                NodeIndex(index)};
                EXPECT_GT(*pack_node(id), 0);
                EXPECT_EQ(unpack_node(*pack_node(id)), id);
            }
    EXPECT_FALSE(pack_node({DocumentId(1ULL << kPackedDocumentBits), Level(1), NodeIndex(0)}));
    EXPECT_FALSE(pack_node({DocumentId(1), Level(16), NodeIndex(0)}));
    EXPECT_FALSE(pack_node({DocumentId(1), Level(1), NodeIndex(1ULL << kPackedIndexBits)}));
}

class LexicalIndexTest : public IndexTest {
  protected:
    static std::vector<BlockText> blocks() {
        return {{node(1, 1, 0), "The quick brown fox jumps over the lazy dog"},
                {node(1, 1, 1), "A fox and another fox met a third fox"},
                {node(2, 1, 0), "Licenses for software, free of charge; don't panic"},
                {node(2, 1, 1), "Straße, Ärger und Übermut \xEF\xBF\xBD"},
                {node(3, 1, 0), ""}};
    }

    static std::vector<NodeId> nodes_of(const Result<std::vector<SearchHit>>& hits) {
        EXPECT_TRUE(hits) << hits.error().to_string();
        std::vector<NodeId> nodes;
        for (const SearchHit& hit : *hits) nodes.push_back(hit.node);
        return nodes;
    }
};

TEST_F(LexicalIndexTest, BlocksAreRankedByTheirWords) {
    const auto index = *store_->open_lexical_index("b");
    ASSERT_TRUE(index->add(blocks()));
    EXPECT_EQ(index->size(), 5u);
    const auto foxes = *index->search("Where do FOXES meet?", 10, {});
    ASSERT_EQ(foxes.size(), 2u);
    EXPECT_EQ(foxes[0].node, node(1, 1, 1));
    EXPECT_GT(foxes[0].score, foxes[1].score);
    EXPECT_GT(foxes[1].score, 0);
    EXPECT_EQ(nodes_of(index->search("software licence or license", 1, {})).size(), 1u);
    EXPECT_EQ(nodes_of(index->search("ubermut", 9, {})), std::vector{node(2, 1, 1)});
    EXPECT_EQ(nodes_of(index->search("the fox", 9, {{DocumentId(2)}, {}})).size(), 0u);
    EXPECT_EQ(nodes_of(index->search("fox panic", 9, {{DocumentId(2)}, Level(1)})),
              std::vector{node(2, 1, 0)});
    EXPECT_EQ(nodes_of(index->search("fox", 9, {{}, Level(2)})).size(), 0u);
    EXPECT_EQ(nodes_of(index->search("fox", 1, {})).size(), 1u);
}

TEST_F(LexicalIndexTest, NoCharacterOfAQuestionIsAnOperator) {
    const auto index = *store_->open_lexical_index("b");
    ASSERT_TRUE(index->add(blocks()));
    for (const std::string& question :
         {std::string("\""), std::string("fox\" OR \"dog"), std::string("NEAR(fox dog)"),
          std::string("fox AND NOT dog"), std::string("text:fox"), std::string("fox*"),
          std::string("^fox"), std::string("-fox"), std::string("{fox dog}: x"),
          std::string("(((("), std::string(")"), std::string("fox + dog"), std::string("'; DROP"),
          std::string("fox\0dog", 7), std::string("\xff\xfe fox \x80"), std::string("\xff")})
        EXPECT_TRUE(index->search(question, 10, {})) << question;
    // "not", "or" and "near" are words; a hyphen excludes nothing.
    EXPECT_EQ(nodes_of(index->search("NOT fox", 9, {})).size(), 2u);
    EXPECT_EQ(nodes_of(index->search("lazy -fox", 9, {})).size(), 2u);
    EXPECT_EQ(nodes_of(index->search("fox\"", 9, {})).size(), 2u);
    EXPECT_TRUE(nodes_of(index->search("", 9, {})).empty());
    EXPECT_TRUE(nodes_of(index->search(" ?! …", 9, {})).empty());
    std::string long_question;
    for (int i = 0; i < 20'000; ++i) long_question += "word" + std::to_string(i) + " ";
    EXPECT_TRUE(index->search("fox " + long_question, 9, {}));
}

TEST_F(LexicalIndexTest, RandomBytesAreAlwaysAnAnswerableQuestion) {
    const auto index = *store_->open_lexical_index("b");
    ASSERT_TRUE(index->add(blocks()));
    Rng rng(20260101);
    for (int i = 0; i < 2000; ++i) {
        std::string question;
        for (std::uint64_t n = rng.below(40); n > 0; --n)
            question.push_back(static_cast<char>(rng.below(256)));
        const auto hits = index->search(question, 3, {});
        ASSERT_TRUE(hits) << hits.error().to_string();
    }
}

TEST_F(LexicalIndexTest, AdditionsAndTheirWatermarkAreOneTransaction) {
    {
        const auto index = *store_->open_lexical_index("b");
        ASSERT_TRUE(index->add(std::vector{blocks()[0]}));
        ASSERT_TRUE(index->save(CommitNumber(2)));
        ASSERT_TRUE(index->add(std::vector{blocks()[1]}));
        EXPECT_EQ(nodes_of(index->search("fox", 9, {})).size(), 2u);
    }
    reopen(StoreMode::kWrite);
    const auto index = *store_->open_lexical_index("b");
    EXPECT_EQ(index->watermark(), CommitNumber(2));
    EXPECT_EQ(index->size(), 1u);
    EXPECT_EQ(nodes_of(index->search("fox", 9, {})).size(), 1u);
    ASSERT_TRUE(index->clear());
    EXPECT_EQ(index->size(), 0u);
    EXPECT_EQ(index->watermark(), CommitNumber(0));
    EXPECT_TRUE(nodes_of(index->search("fox", 9, {})).empty());
}

TEST_F(LexicalIndexTest, AReaderSeesTheLastSaveWhileAWriterAddsAndCatchesUpInMemoryAlone) {
    const auto writer = *store_->open_lexical_index("b");
    ASSERT_TRUE(writer->add(std::vector{blocks()[0]}));
    ASSERT_TRUE(writer->save(CommitNumber(1)));
    ASSERT_TRUE(writer->add(std::vector{blocks()[1]}));
    const auto reader = *open_sqlite_index(index_file("text.sqlite"), false);
    EXPECT_EQ(reader->watermark(), CommitNumber(1));
    EXPECT_EQ(nodes_of(reader->search("fox", 9, {})).size(), 1u);
    ASSERT_TRUE(reader->add(std::vector{blocks()[2]}));
    ASSERT_TRUE(reader->save(CommitNumber(4)));
    EXPECT_EQ(nodes_of(reader->search("fox panic", 9, {})).size(), 2u);
    ASSERT_TRUE(writer->save(CommitNumber(3)));
    const auto third = *open_sqlite_index(index_file("text.sqlite"), false);
    EXPECT_EQ(third->watermark(), CommitNumber(3));
    EXPECT_EQ(nodes_of(third->search("fox panic", 9, {})).size(), 2u);
    EXPECT_EQ(third->size(), 2u);
}

TEST_F(LexicalIndexTest, DamageIsStaleOrAnAnswerAndARebuildStartsEmpty) {
    const auto save = [&] {
        const auto index = *store_->open_lexical_index("b", IndexOpening::kRebuild);
        EXPECT_EQ(index->size(), 0u);
        EXPECT_TRUE(index->add(blocks()));
        EXPECT_TRUE(index->save(CommitNumber(2)));
    };
    save();
    const std::string sound = *read_file(index_file("text.sqlite"), 1 << 30);
    std::size_t refused = 0;
    for (std::uint64_t offset = 0; offset < sound.size(); offset += offset < 200 ? 1 : 37) {
        std::string damaged = sound;
        damaged[offset] = static_cast<char>(damaged[offset] ^ 0x55);
        ASSERT_TRUE(replace_file(index_file("text.sqlite"), std::as_bytes(std::span(damaged))));
        const auto index = store_->open_lexical_index("b");
        const auto hits = index ? (*index)->search("fox license", 9, {})
                                : Result<std::vector<SearchHit>>(fail(index.error()));
        if (hits) continue;
        ++refused;
        EXPECT_EQ(hits.error().code(), ErrorCode::kStaleIndex) << hits.error().to_string();
    }
    EXPECT_GT(refused, 10u);
    for (const std::uint64_t size : {0u, 50u, 4096u, 5000u}) {
        const std::string cut = sound.substr(0, size);
        ASSERT_TRUE(replace_file(index_file("text.sqlite"), std::as_bytes(std::span(cut))));
        EXPECT_EQ(store_->open_lexical_index("b").error().code(), ErrorCode::kStaleIndex) << size;
    }
    save();
    EXPECT_EQ((*store_->open_lexical_index("b"))->size(), 5u);
}

}  // namespace
}  // namespace mc::storage
