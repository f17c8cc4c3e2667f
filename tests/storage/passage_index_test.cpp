// SPDX-License-Identifier: Apache-2.0
// The index of passages as a file: what is durable, what a watermark promises, who may read it,
// what damage does.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "storage/index/passage_key.h"
#include "tests/support/passage_fixture.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

constexpr std::uint32_t kDim = 24;

std::vector<PassageText> notes() {
    return document_of(1,
                       {"Mara keeps a tortoise.", "Oskar keeps bees.", "Lin plays the bassoon."});
}

class PassageIndexTest : public testing::Test {
  protected:
    Path file() const { return scratch_.path() / "passages.sqlite"; }

    std::unique_ptr<PassageIndex> open(SqliteAccess access, std::uint32_t dim = kDim) const {
        return index_or_die(passage_options(file(), access, dim));
    }

    ErrorCode code_of_opening(SqliteAccess access, std::uint32_t dim = kDim) const {
        const auto index = open_sqlite_passage_index(passage_options(file(), access, dim));
        return index ? ErrorCode{} : index.error().code();
    }

    void make_notes() const {
        const auto index = open(SqliteAccess::kWrite);
        ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
        ASSERT_TRUE(index->save(CommitNumber(3)));
    }

    ScratchDirectory scratch_;
};

TEST_F(PassageIndexTest, WhatIsSavedComesBackAndTheRestDoesNot) {
    {
        const auto index = open(SqliteAccess::kWrite);
        EXPECT_EQ(index->watermark(), CommitNumber(0));
        EXPECT_EQ(index->size(), 0u);
        EXPECT_TRUE(index->search_vectors(vector_of("bees", kDim), 5, {})->empty());
        ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
        ASSERT_TRUE(index->save(CommitNumber(3)));
        const auto more = document_of(2, {"A fox."});
        ASSERT_TRUE(index->add(more, vectors_of(more, kDim)));
        EXPECT_EQ(index->search_words("fox", 5, {})->size(), 1u);
    }
    for (const SqliteAccess access : {SqliteAccess::kRead, SqliteAccess::kWrite}) {
        const auto index = open(access);
        EXPECT_EQ(index->watermark(), CommitNumber(3));
        EXPECT_EQ(index->size(), 3u);
        EXPECT_TRUE(index->search_words("fox", 5, {})->empty());
        EXPECT_EQ(passages_of(index->search_words("bees", 5, {})), std::vector{passage_at(1, 10)});
        EXPECT_EQ(passages_of(index->search_vectors(vector_of("Oskar keeps bees", kDim), 1, {})),
                  std::vector{passage_at(1, 10)});
    }
}

TEST_F(PassageIndexTest, VectorsAreRankedByCosineWithinTheDocumentsAsked) {
    const auto index = open(SqliteAccess::kWrite);
    std::vector<PassageText> all;
    for (std::uint64_t i = 0; i < 200; ++i)
        all.push_back({passage_at(1 + i % 4, i * 10), "passage about " + std::to_string(i * i)});
    ASSERT_TRUE(index->add(all, vectors_of(all, kDim)));
    const auto query = vector_of("about 14400 or so", kDim);
    for (const std::vector<DocumentId>& documents : {std::vector<DocumentId>{},
                                                     {DocumentId(2)},
                                                     {DocumentId(4), DocumentId(1)},
                                                     {DocumentId(77)}}) {
        std::vector<std::pair<float, Passage>> expected;
        for (const PassageText& one : all) {
            const bool asked = documents.empty() || std::count(documents.begin(), documents.end(),
                                                               one.passage.document) > 0;
            const auto vector = vector_of(one.text, kDim);
            float score = 0;
            for (std::uint32_t d = 0; d < kDim; ++d) score += vector[d] * query[d];
            if (asked) expected.emplace_back(-score, one.passage);
        }
        std::sort(expected.begin(), expected.end());
        for (const std::size_t count : {std::size_t{0}, std::size_t{7}, std::size_t{1000}}) {
            const auto hits = *index->search_vectors(query, count, ranges_of(documents));
            ASSERT_EQ(hits.size(), std::min(count, expected.size()));
            for (std::size_t i = 0; i < hits.size(); ++i)
                EXPECT_NEAR(hits[i].score, -expected[i].first, 2e-3);
        }
    }
}

TEST_F(PassageIndexTest, ASearchIsKeptToRangesOfADocument) {
    const auto index = open(SqliteAccess::kWrite);
    std::vector<PassageText> all;
    for (std::uint64_t i = 0; i < 200; ++i)
        all.push_back({passage_at(1 + i % 2, i * 10), "a fox, number " + std::to_string(i)});
    ASSERT_TRUE(index->add(all, vectors_of(all, kDim)));
    using Ranges = std::vector<PassageRange>;
    for (const Ranges& ranges : {Ranges{{DocumentId(1), {40, 80}}},
                                 Ranges{{DocumentId(2), {11, 30}}, {DocumentId(1), {0, 1}}},
                                 Ranges{{DocumentId(2), {0, 500}}, {DocumentId(2), {400, 600}}},
                                 Ranges{{DocumentId(1), {1980, UINT64_MAX}}},
                                 Ranges{{DocumentId(2), {0, 0}}}, Ranges{{DocumentId(77)}}}) {
        std::set<Passage> expected;
        for (const PassageText& one : all)
            if (std::ranges::any_of(ranges,
                                    [&](auto& range) { return range.contains(one.passage); }))
                expected.insert(one.passage);
        for (const auto& hits : {index->search_words("fox", 1000, ranges),
                                 index->search_vectors(vector_of("a fox", kDim), 1000, ranges)}) {
            const auto found = passages_of(hits);
            EXPECT_EQ(std::set<Passage>(found.begin(), found.end()), expected);
            EXPECT_EQ(found.size(), expected.size());
        }
    }
}

TEST_F(PassageIndexTest, TheLastPassageGrowsByBeingReplaced) {
    const auto index = open(SqliteAccess::kWrite);
    ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
    EXPECT_EQ(*index->last_passage(DocumentId(1)), passage_at(1, 20));
    EXPECT_EQ(*index->last_passage(DocumentId(2)), std::nullopt);
    EXPECT_EQ(*index->last_passage(DocumentId(1ULL << 50)), std::nullopt);
    // Loaded before the change, so that memory and file must change alike.
    EXPECT_EQ(index->search_vectors(vector_of("bassoon", kDim), 1, {})->size(), 1u);
    const std::vector<PassageText> last = {notes()[2]};
    const std::vector<PassageText> grown = {{passage_at(1, 20, 14), "Lin plays chess on Mondays."}};
    ASSERT_TRUE(index->remove(last));
    ASSERT_TRUE(index->add(grown, vectors_of(grown, kDim)));
    ASSERT_TRUE(index->save(CommitNumber(4)));
    EXPECT_EQ(*index->last_passage(DocumentId(1)), passage_at(1, 20, 14));
    EXPECT_TRUE(index->search_words("bassoon", 9, {})->empty());
    EXPECT_EQ(passages_of(index->search_words("chess", 9, {})), std::vector{passage_at(1, 20, 14)});
    EXPECT_EQ(passages_of(index->search_vectors(vector_of("Lin plays chess", kDim), 1, {})),
              std::vector{passage_at(1, 20, 14)});
    EXPECT_EQ(index->search_vectors(vector_of("x", kDim), 9, {})->size(), 3u);
    EXPECT_EQ(index->size(), 3u);
}

TEST_F(PassageIndexTest, PassagesOfASpanAreThoseThatShareATokenWithIt) {
    const auto index = open(SqliteAccess::kWrite, 0);
    std::vector<PassageText> all = {{passage_at(1, 0, 255), "a"},
                                    {passage_at(1, 255, 1), "b"},
                                    {passage_at(1, 256, 40), "c"},
                                    {passage_at(2, 0, 300 - 45), "d"}};
    ASSERT_TRUE(index->add(all, {}));
    const auto in = [&](std::uint64_t document, std::uint64_t begin, std::uint64_t end) {
        return *index->passages_in(DocumentId(document), {begin, end});
    };
    EXPECT_EQ(in(1, 0, 1), std::vector{passage_at(1, 0, 255)});
    EXPECT_EQ(in(1, 254, 256), (std::vector{passage_at(1, 0, 255), passage_at(1, 255, 1)}));
    EXPECT_EQ(in(1, 255, 256), std::vector{passage_at(1, 255, 1)});
    EXPECT_EQ(in(1, 255, 1ULL << 40).size(), 2u);
    EXPECT_TRUE(in(1, 296, 400).empty());
    EXPECT_TRUE(in(1, 7, 7).empty());
    EXPECT_TRUE(in(3, 0, 9).empty());
    EXPECT_EQ(in(2, 0, 1ULL << 40).size(), 1u);
}

TEST_F(PassageIndexTest, WhatCannotBeNamedOrComparedIsRefusedAndChangesNothing) {
    const auto index = open(SqliteAccess::kWrite);
    ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
    for (const Passage& bad :
         {passage_at(1ULL << kKeyDocumentBits, 0), passage_at(1, 1ULL << kKeyTokenBits),
          passage_at(1, 90, kPassageTokensMax + 1), passage_at(1, 90, 0)}) {
        const std::vector<PassageText> one = {{bad, "x"}};
        EXPECT_EQ(index->add(one, vectors_of(one, kDim)).error().code(), ErrorCode::kInvalidInput);
    }
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
        std::vector<float> vector(kDim, bad);
        const std::vector<PassageText> one = {{passage_at(1, 90), "x"}};
        EXPECT_EQ(index->add(one, vector).error().code(), ErrorCode::kInvalidInput);
        EXPECT_EQ(index->search_vectors(vector, 1, {}).error().code(), ErrorCode::kInvalidInput);
    }
    ASSERT_TRUE(index->save(CommitNumber(1)));
    EXPECT_EQ(index->size(), 3u);
}

TEST(PassageKeyTest, EveryPassageInRangeComesBackAndKeysOfADocumentAreInOrder) {
    for (const std::uint64_t document : {0ULL, 1ULL, (1ULL << kKeyDocumentBits) - 1})
        for (const std::uint64_t begin : {0ULL, 77ULL, (1ULL << kKeyTokenBits) - 1})
            for (const std::uint64_t count : {std::uint64_t{1}, kPassageTokensMax}) {
                const std::int64_t key = *pack_passage(passage_at(document, begin, count));
                EXPECT_GT(key, 0);
                EXPECT_EQ(unpack_passage(key), passage_at(document, begin, count));
                EXPECT_EQ(key_token_count(key), count);
                EXPECT_TRUE(keys_of(DocumentId(document)).contains(key));
                EXPECT_FALSE(keys_of(DocumentId(document + 1)).contains(key));
            }
}

TEST_F(PassageIndexTest, AfterAFailedChangeNothingIsClaimedAndTheFirstErrorStays) {
    make_notes();
    const auto index = open(SqliteAccess::kWrite);
    const auto more = document_of(2, {"A fox.", "A hare."});
    ASSERT_TRUE(index->add(more, vectors_of(more, kDim)));
    // A passage that is there already stands for any refusal of the file's.
    const auto failed = index->add(notes(), vectors_of(notes(), kDim));
    ASSERT_FALSE(failed);
    EXPECT_EQ(index->size(), 3u);
    EXPECT_EQ(index->watermark(), CommitNumber(3));
    EXPECT_TRUE(index->search_words("fox", 9, {})->empty());
    EXPECT_EQ(index->search_vectors(vector_of("fox", kDim), 9, {})->size(), 3u);
    for (int i = 0; i < 2; ++i) {
        const auto third = document_of(3, {"An owl."});
        EXPECT_EQ(index->add(third, vectors_of(third, kDim)).error().message(),
                  failed.error().message());
        EXPECT_EQ(index->save(CommitNumber(9)).error().message(), failed.error().message());
        EXPECT_EQ(index->watermark(), CommitNumber(3));
    }
    ASSERT_TRUE(index->revert());
    ASSERT_TRUE(index->add(more, vectors_of(more, kDim)));
    ASSERT_TRUE(index->save(CommitNumber(4)));
    EXPECT_EQ(open(SqliteAccess::kRead)->size(), 5u);
    EXPECT_FALSE(index->remove(document_of(7, {"never added"})));
    ASSERT_TRUE(index->clear());
    EXPECT_EQ(index->size(), 0u);
    EXPECT_EQ(index->watermark(), CommitNumber(0));
    EXPECT_TRUE(index->search_words("bees", 9, {})->empty());
    ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
}

TEST_F(PassageIndexTest, AnotherEmbedderIsStaleAndAReaderWithoutOneHasTheWords) {
    make_notes();
    EXPECT_EQ(code_of_opening(SqliteAccess::kRead, kDim + 1), ErrorCode::kStaleIndex);
    EXPECT_EQ(code_of_opening(SqliteAccess::kWrite, 0), ErrorCode::kStaleIndex);
    PassageIndexOptions other = passage_options(file(), SqliteAccess::kRead, kDim);
    other.embedder.hash = {9, 9};
    EXPECT_EQ(open_sqlite_passage_index(std::move(other)).error().code(), ErrorCode::kStaleIndex);
    const auto words = open(SqliteAccess::kRead, 0);
    EXPECT_EQ(words->vector_dim(), 0u);
    EXPECT_EQ(words->search_words("bees", 9, {})->size(), 1u);
    ASSERT_TRUE(words->add(document_of(2, {"A fox."}), {}));
    EXPECT_EQ(words->search_words("fox", 9, {})->size(), 1u);
}

TEST_F(PassageIndexTest, AReaderSeesEachSaveOfAWriterAndKeepsItsOwnChangesInMemory) {
    const auto writer = open(SqliteAccess::kWrite);
    ASSERT_TRUE(writer->add(notes(), vectors_of(notes(), kDim)));
    ASSERT_TRUE(writer->save(CommitNumber(1)));
    const auto reader = open(SqliteAccess::kRead);
    EXPECT_EQ(reader->search_vectors(vector_of("fox", kDim), 9, {})->size(), 3u);
    const auto fox = document_of(2, {"A fox."});
    ASSERT_TRUE(writer->add(fox, vectors_of(fox, kDim)));
    EXPECT_TRUE(reader->search_words("fox", 9, {})->empty());
    EXPECT_EQ(reader->watermark(), CommitNumber(1));
    ASSERT_TRUE(writer->save(CommitNumber(2)));
    EXPECT_EQ(reader->search_words("fox", 9, {})->size(), 1u);
    EXPECT_EQ(reader->search_vectors(vector_of("fox", kDim), 9, {})->size(), 4u);
    EXPECT_EQ(reader->watermark(), CommitNumber(2));
    const auto owl = document_of(3, {"An owl."});
    ASSERT_TRUE(reader->add(owl, vectors_of(owl, kDim)));
    ASSERT_TRUE(reader->save(CommitNumber(5)));
    EXPECT_EQ(reader->search_words("owl fox", 9, {})->size(), 2u);
    EXPECT_EQ(reader->search_vectors(vector_of("An owl.", kDim), 9, {})->front().passage,
              passage_at(3, 0));
    EXPECT_EQ(writer->watermark(), CommitNumber(2));
    EXPECT_TRUE(writer->search_words("owl", 9, {})->empty());
    EXPECT_EQ(open(SqliteAccess::kRead)->size(), 4u);
}

TEST_F(PassageIndexTest, AReaderInAnotherProcessFollowsAWriter) {
    make_notes();
    TalkingChild reader([&](const TalkingChild::Line& line) {
        const auto index = open(SqliteAccess::kRead);
        while (line.listen() == 'q') {
            const auto words = index->search_words("fox", 99, {});
            const auto vectors = index->search_vectors(vector_of("fox", kDim), 99, {});
            line.say(words && vectors && vectors->size() == words->size() + 3
                         ? static_cast<char>('0' + words->size())
                         : 'x');
        }
        return 0;
    });
    const auto writer = open(SqliteAccess::kWrite);
    for (char expected = '0'; expected < '6'; ++expected) {
        reader.line().say('q');
        EXPECT_EQ(reader.line().listen(), expected);
        const auto fox = document_of(static_cast<std::uint64_t>(expected), {"A fox."});
        ASSERT_TRUE(writer->add(fox, vectors_of(fox, kDim)));
        ASSERT_TRUE(writer->save(CommitNumber(static_cast<std::uint64_t>(expected))));
    }
    reader.line().say('e');
    EXPECT_EQ(reader.wait(), 0);
}

TEST_F(PassageIndexTest, AnAbsentFileIsEmptyForAReaderAndStaysAbsent) {
    const auto index = open(SqliteAccess::kRead);
    EXPECT_EQ(index->watermark(), CommitNumber(0));
    ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
    ASSERT_TRUE(index->save(CommitNumber(3)));
    EXPECT_EQ(index->search_words("bees", 9, {})->size(), 1u);
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(PassageIndexTest, DamageIsStaleOrAnAnswerAndNeverACrash) {
    make_notes();
    const std::string sound = *read_file(file(), 1 << 30);
    std::size_t refused = 0;
    for (std::uint64_t offset = 0; offset < sound.size(); offset += offset < 100 ? 1 : 131) {
        std::string damaged = sound;
        damaged[offset] = static_cast<char>(damaged[offset] ^ 0x55);
        ASSERT_TRUE(replace_file(file(), std::as_bytes(std::span(damaged))));
        const auto use = [&]() -> Result<void> {
            MC_ASSIGN(const auto index, open_sqlite_passage_index(
                                            passage_options(file(), SqliteAccess::kWrite, kDim)));
            MC_TRY(index->search_words("who keeps bees or a tortoise", 9, {}));
            MC_TRY(index->search_vectors(vector_of("bees", kDim), 9, {}));
            MC_TRY(index->last_passage(DocumentId(1)));
            MC_TRY(index->passages_in(DocumentId(1), {0, 30}));
            MC_TRY(index->remove(std::vector{notes()[2]}));
            const auto more = document_of(2, {"A fox keeps bees."});
            MC_TRY(index->add(more, vectors_of(more, kDim)));
            return index->save(CommitNumber(4));
        };
        const auto used = use();
        std::filesystem::remove(file().string() + "-wal");
        std::filesystem::remove(file().string() + "-shm");
        if (used) continue;
        ++refused;
        EXPECT_EQ(used.error().code(), ErrorCode::kStaleIndex)
            << offset << ": " << used.error().to_string();
    }
    EXPECT_GT(refused, 20u);
    for (const std::uint64_t size : {0u, 50u, 4096u, 5000u, 20'000u}) {
        const std::string cut = sound.substr(0, size);
        ASSERT_TRUE(replace_file(file(), std::as_bytes(std::span(cut))));
        EXPECT_EQ(code_of_opening(SqliteAccess::kRead), ErrorCode::kStaleIndex) << size;
    }
}

class StorePassageIndexTest : public testing::Test {
  protected:
    void SetUp() override {
        store_ = open_or_die(test_options(scratch_.path() / "store"));
        ASSERT_TRUE(store_->create_bank("b"));
        const auto bank = *store_->bank_store("b");
        last_ = *bank->commit(next_batch(*bank->create_document({}), 0));
    }

    void reopen(StoreMode mode) {
        store_.reset();
        store_ = open_or_die(test_options(scratch_.path() / "store", mode));
    }

    Path file() const { return scratch_.path() / "store" / "indexes" / "1" / "passages.sqlite"; }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    CommitNumber last_;
};

TEST_F(StorePassageIndexTest, EveryByteOnDiskIsSomePartsAndWhatIsAddedIsInItsPart) {
    const auto bytes_of = [this](std::string_view name) {
        const auto parts = *store_->part_sizes();
        for (const StorePart& part : parts)
            if (part.name == name) return part.bytes;
        ADD_FAILURE() << "no part " << name;
        return std::uint64_t{0};
    };
    EXPECT_GT(bytes_of("documents"), 0u);
    EXPECT_EQ(bytes_of("vectors"), 0u);
    EXPECT_EQ(bytes_of("words"), 0u);
    constexpr std::size_t kCount = 4000;
    {
        const auto index = *store_->open_passage_index("b", test_embedder(kDim));
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < kCount; ++i) texts.push_back("Word" + std::to_string(i) + ".");
        const auto passages = document_of(1, texts);
        ASSERT_TRUE(index->add(passages, vectors_of(passages, kDim)));
        ASSERT_TRUE(index->save(last_));
    }
    reopen(StoreMode::kRead);
    EXPECT_GT(bytes_of("vectors"), kCount * kDim * sizeof(std::uint16_t));  // halves
    EXPECT_GT(bytes_of("words"), kCount * sizeof("word0"));
    std::uint64_t sum = 0;
    const auto parts = *store_->part_sizes();
    for (const StorePart& part : parts) sum += part.bytes;
    EXPECT_EQ(sum, *store_->size_on_disk_bytes());
}

TEST_F(StorePassageIndexTest, AnIndexAheadOfItsStoreIsStaleAndARebuildStartsEmpty) {
    const TextEmbedderInfo embedder = test_embedder(kDim);
    {
        const auto index = *store_->open_passage_index("b", embedder);
        ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
        ASSERT_TRUE(index->save(CommitNumber(last_.value + 1)));
    }
    EXPECT_EQ(store_->open_passage_index("b", embedder).error().code(), ErrorCode::kStaleIndex);
    const auto index = *store_->open_passage_index("b", embedder, IndexOpening::kRebuild);
    EXPECT_EQ(index->size(), 0u);
    EXPECT_EQ(index->watermark(), CommitNumber(0));
    EXPECT_EQ(store_->open_passage_index("nobody", embedder).error().code(),
              ErrorCode::kInvalidInput);
}

TEST_F(StorePassageIndexTest, DamageStopsNoReader) {
    const TextEmbedderInfo embedder = test_embedder(kDim);
    ASSERT_TRUE((*store_->open_passage_index("b", embedder))->save(last_));
    const std::string noise(3000, '\x7f');
    ASSERT_TRUE(replace_file(file(), std::as_bytes(std::span(noise))));
    reopen(StoreMode::kRead);
    EXPECT_EQ(store_->open_passage_index("b", embedder).error().code(), ErrorCode::kStaleIndex);
    const auto index = *store_->open_passage_index("b", embedder, IndexOpening::kRebuild);
    ASSERT_TRUE(index->add(notes(), vectors_of(notes(), kDim)));
    ASSERT_TRUE(index->save(last_));
    EXPECT_EQ(index->search_words("bees", 9, {})->size(), 1u);
    EXPECT_EQ(*read_file(file(), 1 << 20), noise);
}

}  // namespace
}  // namespace mc::storage
