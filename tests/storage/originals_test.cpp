// SPDX-License-Identifier: Apache-2.0
// What a document was converted from: kept byte for byte beside it, and gone with it.
#include <gtest/gtest.h>

#include "storage/lmdb/record_codec.h"
#include "storage/store.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

class OriginalsTest : public testing::Test {
  protected:
    OriginalsTest() {
        reopen(StoreMode::kWriteOrCreate);
        DocumentRecord draft;
        draft.source_name = "page.html";
        document_ = bank_->create_document(draft)->id;
    }

    void reopen(StoreMode mode) {
        bank_.reset();
        store_.reset();
        store_ = open_or_die(test_options(scratch_.path() / "store", mode));
        if (!*store_->find_bank("alpha")) {
            EXPECT_TRUE(store_->create_bank("alpha"));
        }
        bank_ = *store_->bank_store("alpha");
    }

    std::uint64_t records() const {
        return (*store_->database_statistics())[static_cast<std::size_t>(Database::kDocuments)]
            .entries;
    }

    void expect_no_faults() const {
        const auto summary = store_->verify_records(
            [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
        ASSERT_TRUE(summary);
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<NodeStore> bank_;
    DocumentId document_;
};

// Longer than a piece, with every byte in it.
Original original_of(std::size_t size) {
    Original original{"html", {}, {{0, "page 1"}, {7, "Part › Chapter"}}};
    for (std::size_t i = 0; i < size; ++i)
        original.bytes.push_back(static_cast<char>(i * 31 + i / 251));
    return original;
}

TEST_F(OriginalsTest, ADocumentOfItsOwnTextHasNone) {
    EXPECT_FALSE(*bank_->find_original(document_));
    EXPECT_FALSE(bank_->read_original(document_, {0, 0}));
    EXPECT_FALSE(bank_->find_original(DocumentId(99)));
}

TEST_F(OriginalsTest, BytesAndPlacesComeBackAfterTheStoreIsOpenedAnew) {
    const Original original = original_of(2 * kOriginalPieceBytes + 5);
    ASSERT_TRUE(bank_->put_original(document_, original));
    reopen(StoreMode::kRead);
    const OriginalRecord record = **bank_->find_original(document_);
    EXPECT_EQ(record.kind, "html");
    EXPECT_EQ(record.byte_count, original.bytes.size());
    EXPECT_EQ(record.hash, xxh3_128(std::as_bytes(std::span(original.bytes))));
    EXPECT_EQ(record.places, original.places);
    EXPECT_EQ(*bank_->read_original(document_, {0, record.byte_count}), original.bytes);
    EXPECT_EQ(*bank_->read_original(document_, {kOriginalPieceBytes - 1, kOriginalPieceBytes + 1}),
              original.bytes.substr(kOriginalPieceBytes - 1, 2));
    EXPECT_FALSE(bank_->read_original(document_, {0, record.byte_count + 1}));
    expect_no_faults();
}

TEST_F(OriginalsTest, AShorterOneLeavesNothingOfALongerOne) {
    const std::uint64_t before = records();
    ASSERT_TRUE(bank_->put_original(document_, original_of(3 * kOriginalPieceBytes)));
    EXPECT_EQ(records(), before + 4);
    ASSERT_TRUE(bank_->put_original(document_, original_of(10)));
    EXPECT_EQ(records(), before + 2);
    EXPECT_EQ(*bank_->read_original(document_, {0, 10}), original_of(10).bytes);
    expect_no_faults();
}

TEST_F(OriginalsTest, ForgettingTakesItAlong) {
    DocumentRecord draft;
    draft.source_name = "kept.html";
    const DocumentId kept = bank_->create_document(draft)->id;
    ASSERT_TRUE(bank_->put_original(kept, original_of(10)));
    ASSERT_TRUE(bank_->put_original(document_, original_of(2 * kOriginalPieceBytes)));
    ASSERT_TRUE(bank_->announce_forgets(std::vector<Tombstone>{{document_, 1, 0, ""}}));
    ASSERT_TRUE(bank_->forget(document_));
    EXPECT_FALSE(bank_->find_original(document_));
    EXPECT_EQ(*bank_->read_original(kept, {0, 10}), original_of(10).bytes);
    EXPECT_EQ(records(), 5U);  // kept: record, name, original, piece; a tombstone
    expect_no_faults();
}

TEST(PlacesTest, AStretchStandsWhereItBeginsAndEnds) {
    const std::vector<Place> places{{4, "page 1"}, {10, "page 2"}, {20, "page 3"}};
    EXPECT_EQ(place_of(places, {0, 3}), "");
    EXPECT_EQ(place_of(places, {0, 5}), "page 1");
    EXPECT_EQ(place_of(places, {4, 10}), "page 1");
    EXPECT_EQ(place_of(places, {9, 21}), "page 1 to page 3");
    EXPECT_EQ(place_of(places, {25, 25}), "page 3");
    EXPECT_EQ(place_of({}, {0, 5}), "");
}

TEST(PlacesTest, TheyAscendAndHaveLabels) {
    EXPECT_TRUE(are_places({}));
    EXPECT_TRUE(are_places(std::vector<Place>{{0, "a"}, {1, "a"}}));
    EXPECT_FALSE(are_places(std::vector<Place>{{1, "a"}, {1, "b"}}));
    EXPECT_FALSE(are_places(std::vector<Place>{{1, ""}}));
    EXPECT_FALSE(are_places(std::vector<Place>{{1, std::string(kPlaceLabelBytesMax + 1, 'a')}}));
}

}  // namespace
}  // namespace mc::storage
