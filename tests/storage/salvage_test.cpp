// SPDX-License-Identifier: Apache-2.0
// Damaged stores: whatever page or byte is destroyed, what is whole comes back to the byte, what is
// not is named, and what was forgotten stays so.
#include "storage/salvage/salvaged_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "tests/support/bank_fixture.h"

namespace mc::storage {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::uint64_t kSeed = 20261130;

class SalvageTest : public testing::Test {
  protected:
    void SetUp() override {
        const auto store = open_or_die(test_options(scratch_.path() / "store"));
        for (const char* name : {"alpha", "beta"}) {
            ASSERT_TRUE(store->create_bank(name));
            const auto bank = *store->bank_store(name);
            for (const auto& [document, count] : {std::pair("short", 70U),
                                                  {"gone", 1500U},
                                                  {"long", 3300U},
                                                  {"empty", 0U},
                                                  {"tail", 31U}})
                add(*bank, document, count);
            const DocumentRecord gone = **bank->find_document_by_source("gone");
            ASSERT_TRUE(bank->announce_forgets(std::vector{Tombstone{gone.id, 99, 0, "why"}}));
            ASSERT_TRUE(bank->forget(gone.id));
            texts_.erase(gone.id);
            const DocumentRecord grown = **bank->find_document_by_source("long");
            ASSERT_TRUE(bank->put_original(grown.id, original()));
        }
        sound_ = *read_file(data(), 1 << 28);
    }

    static Original original() { return {"pdf", std::string(270'000, 'z'), {{5, "page 2"}}}; }

    void add(NodeStore& bank, const std::string& name, std::uint64_t count,
             const std::optional<Succession>& succession = {}) {
        const DocumentRecord made = add_spelled_document(bank, name, count, succession);
        texts_[made.id] = text_of_document(bank, made);
        names_[made.id] = {bank.bank().name, name};
    }

    Path data() const { return scratch_.path() / "store" / "data.mdb"; }

    std::unique_ptr<SalvagedStore> salvage(const std::string& bytes) const {
        std::ofstream(data(), std::ios::binary | std::ios::trunc) << bytes;
        auto opened = SalvagedStore::open(data().parent_path());
        EXPECT_TRUE(opened) << opened.error().to_string();
        return std::move(*opened);
    }

    static std::string text_of(const SalvagedStore& store, const SalvagedDocument& document) {
        const auto pieces = store.pieces(document, document.has_gists);
        EXPECT_TRUE(pieces->rewind());
        std::string text;
        while (true) {
            const auto piece = pieces->next();
            EXPECT_TRUE(piece) << piece.error().to_string();
            if (!piece || !*piece) return text;
            if (const auto* chunk = std::get_if<TokenChunk>(&**piece))
                text += *spell(chunk->tokens);
        }
    }

    // What comes back is right; how many documents that are.
    std::size_t expect_nothing_invented(const SalvagedStore& store) const {
        std::size_t whole = 0;
        std::set<std::pair<std::string, std::string>> standing;
        const auto documents = store.documents(spell);
        for (const SalvagedDocument& document : documents) {
            const DocumentId id = document.record.id;
            EXPECT_TRUE(texts_.contains(id)) << "document " << id.value << " was forgotten";
            const auto& [bank, name] = names_.at(id);
            EXPECT_EQ(document.record.source_name,
                      document.is_nameless ? "recovered/d" + std::to_string(id.value) : name);
            if (!is_superseded(document.record)) {
                EXPECT_TRUE(standing.insert({document.bank, document.record.source_name}).second)
                    << "two documents stand as " << name;
            }
            EXPECT_TRUE(document.bank == bank || document.bank.starts_with("recovered"));
            if (!document.is_whole) continue;
            ++whole;
            EXPECT_EQ(text_of(store, document), texts_.at(id));
        }
        return whole;
    }

    // Flips a bit in every copy of a chunk's ids.
    void damage_chunk(std::string& bytes, const std::string& bank_name, const std::string& name,
                      std::uint64_t chunk) const {
        std::ofstream(data(), std::ios::binary | std::ios::trunc) << sound_;
        const auto store = open_or_die(test_options(data().parent_path(), StoreMode::kRead));
        const auto bank = *store->bank_store(bank_name);
        const DocumentRecord document = **bank->find_document_by_source(name);
        const std::uint64_t begin = chunk * kTokenMarkStride;
        const auto tokens = *bank->read_tokens(document.id, {begin, begin + 16});
        std::string ids;
        for (const TokenId token : tokens) {
            ids.push_back(static_cast<char>(token & 0xff));
            ids.push_back(static_cast<char>(token >> 8));
        }
        for (std::size_t at = bytes.find(ids); at != std::string::npos; at = bytes.find(ids))
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
    }

    ScratchDirectory scratch_;
    std::map<DocumentId, std::string> texts_;                          // of what is not forgotten
    std::map<DocumentId, std::pair<std::string, std::string>> names_;  // bank and document
    std::string sound_;
};

TEST_F(SalvageTest, ASoundStoreIsAllThere) {
    const auto store = salvage(sound_);
    EXPECT_TRUE(store->summary().trees_are_whole);
    EXPECT_EQ(store->summary().damaged_records, 0U);
    EXPECT_EQ(expect_nothing_invented(*store), texts_.size());
    const auto documents = store->documents(spell);
    for (const SalvagedDocument& document : documents) {
        EXPECT_TRUE(document.has_gists) << document.record.source_name;
        EXPECT_FALSE(document.original_is_lost);
        EXPECT_EQ(document.has_original, document.record.source_name == "long");
    }

    EXPECT_EQ(store->tombstones().at("alpha").size(), 1U);
    ASSERT_TRUE(store->meta());
    EXPECT_EQ(store->meta()->identity.encoder.name, "fake");
}

TEST_F(SalvageTest, AnyPageMayBeDestroyed) {
    std::cout << "seed " << kSeed << "\n";
    Rng rng(kSeed);
    const std::size_t pages = sound_.size() / kPageBytes;
    std::size_t saved = 0;
    for (std::size_t page = 0; page < pages; ++page)
        for (const bool with_zeros : {true, false}) {
            SCOPED_TRACE("page " + std::to_string(page));
            std::string bytes = sound_;
            for (std::size_t i = 0; i < kPageBytes; ++i)
                bytes[page * kPageBytes + i] =
                    with_zeros ? '\0' : static_cast<char>(rng.below(256));
            const auto store = salvage(bytes);
            saved += expect_nothing_invented(*store);
        }
    std::cout << saved << " of " << 2 * pages * texts_.size() << " documents saved\n";
    EXPECT_GT(saved, 2 * pages * texts_.size() * 9 / 10);
}

TEST_F(SalvageTest, WithoutEitherMetaPageEverythingIsFound) {
    std::string bytes = sound_;
    std::fill_n(bytes.begin(), 2 * kPageBytes, '\0');
    const auto store = salvage(bytes);
    EXPECT_FALSE(store->summary().trees_are_whole);
    EXPECT_EQ(expect_nothing_invented(*store), texts_.size());
}

// Free pages still say that the old document stands.
TEST_F(SalvageTest, AVersionStaysOneWhateverPageIsDestroyed) {
    {
        const auto store = open_or_die(test_options(data().parent_path(), StoreMode::kWrite));
        const auto bank = *store->bank_store("alpha");
        const DocumentRecord old = **bank->find_document_by_source("tail");
        add(*bank, "tail", 33, Succession{old.id, 50, 9, ""});
        // Without the newest meta page the state is that of the commit before the last.
        const DocumentRecord grown = **bank->find_document_by_source("long");
        ASSERT_TRUE(bank->put_original(grown.id, original()));
    }
    sound_ = *read_file(data(), 1 << 28);
    const auto superseded = [](const auto& one) { return is_superseded(one.record); };
    for (const std::string& bytes :
         {sound_, std::string(2 * kPageBytes, '\0') + sound_.substr(2 * kPageBytes)}) {
        const auto store = salvage(bytes);
        EXPECT_EQ(expect_nothing_invented(*store), texts_.size());
        const auto documents = store->documents(spell);
        ASSERT_EQ(std::ranges::count_if(documents, superseded), 1);
        const SalvagedDocument& old = *std::ranges::find_if(documents, superseded);
        EXPECT_EQ(old.record.source_name, "tail");
        EXPECT_EQ(old.record.version, 1U);
        EXPECT_EQ(old.record.superseded_us, 50);
    }
    for (std::size_t page = 0; page < sound_.size() / kPageBytes; ++page) {
        SCOPED_TRACE("page " + std::to_string(page));
        std::string bytes = sound_;
        bytes.replace(page * kPageBytes, kPageBytes, kPageBytes, '\0');
        expect_nothing_invented(*salvage(bytes));
    }
}

TEST_F(SalvageTest, ACutFileGivesWhatIsBeforeTheCut) {
    for (std::size_t size = 0; size < sound_.size(); size += kPageBytes / 2)
        expect_nothing_invented(*salvage(sound_.substr(0, size)));
    EXPECT_EQ(SalvagedStore::open(scratch_.path()).error().code(), ErrorCode::kInvalidInput);
}

TEST_F(SalvageTest, FlippedBitsInventNothing) {
    std::cout << "seed " << kSeed << "\n";
    Rng rng(kSeed);
    for (int i = 0; i < 300 && !HasFailure(); ++i) {
        SCOPED_TRACE("trial " + std::to_string(i));
        std::string bytes = sound_;
        for (std::uint64_t flips = 1 + rng.below(40); flips > 0; --flips)
            bytes[rng.below(bytes.size())] ^= static_cast<char>(1U << rng.below(8));
        expect_nothing_invented(*salvage(bytes));
    }
}

TEST_F(SalvageTest, WhatIsLostIsNamedByItsBytes) {
    std::string bytes = sound_;
    damage_chunk(bytes, "beta", "long", 1);
    damage_chunk(bytes, "beta", "long", 2);
    const auto store = salvage(bytes);
    EXPECT_EQ(store->summary().damaged_records, 2U);
    EXPECT_EQ(expect_nothing_invented(*store), texts_.size() - 1);
    const auto documents = store->documents(spell);
    const auto lost = std::ranges::find(documents, false, &SalvagedDocument::is_whole);
    ASSERT_NE(lost, documents.end());
    EXPECT_EQ(lost->record.source_name, "long");
    EXPECT_EQ(lost->bank, "beta");
    ASSERT_EQ(lost->lost.size(), 1U);
    EXPECT_EQ(lost->lost[0].tokens, (TokenSpan{1024, 3072}));
    // The chunks before and behind it tell its bytes.
    const std::string& text = texts_.at(lost->record.id);
    EXPECT_GT(lost->lost[0].bytes.begin, 0U);
    EXPECT_LT(lost->lost[0].bytes.end, text.size());
    EXPECT_GE(lost->lost[0].bytes.count(), 2048U);
}

TEST_F(SalvageTest, ALostOriginalLeavesItsDocument) {
    std::string bytes = sound_;
    bytes[bytes.find(std::string(64, 'z')) + 1000] ^= 1;
    const auto store = salvage(bytes);
    EXPECT_EQ(expect_nothing_invented(*store), texts_.size());
    const auto documents = store->documents(spell);
    EXPECT_EQ(std::ranges::count(documents, true, &SalvagedDocument::original_is_lost), 1);
    EXPECT_EQ(std::ranges::count(documents, true, &SalvagedDocument::has_original), 1);
}

TEST_F(SalvageTest, WhatIsWholeGoesIntoAnotherStore) {
    std::string bytes = sound_;
    damage_chunk(bytes, "alpha", "short", 0);
    const auto damaged = salvage(bytes);
    const auto store = open_or_die(test_options(scratch_.path() / "saved"));
    std::size_t saved = 0;
    const auto documents = damaged->documents(spell);
    for (const SalvagedDocument& document : documents) {
        if (!document.is_whole) continue;
        if (!*store->find_bank(document.bank)) {
            ASSERT_TRUE(store->create_bank(document.bank));
        }
        const auto bank = *store->bank_store(document.bank);
        const auto pieces = damaged->pieces(document, true);
        const auto made = import_document(*bank, document.record, *pieces);
        ASSERT_TRUE(made) << made.error().to_string();
        EXPECT_EQ(portable_part(*made), portable_part(document.record));
        EXPECT_EQ(text_of_document(*bank, *made), texts_.at(document.record.id));
        if (document.has_original) {
            EXPECT_EQ(*bank->read_original(made->id, {0, 270'000}), original().bytes);
        }
        ++saved;
    }
    EXPECT_EQ(saved, texts_.size() - 1);
    const auto summary = store->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    EXPECT_EQ(summary->faults, 0U);
    EXPECT_EQ(*read_file(data(), 1 << 28), bytes) << "the damaged store was written to";
}

}  // namespace
}  // namespace mc::storage
