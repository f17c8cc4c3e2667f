// SPDX-License-Identifier: Apache-2.0
// An encrypted store: it holds what a plain one holds, tells nobody without the key, and notices
// what was changed or moved.
#include <gtest/gtest.h>

#include "storage/backup.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/unseal_store.h"
#include "tests/support/bank_fixture.h"
#include "tests/support/key_fixture.h"

namespace mc::storage {
namespace {

constexpr const char* kBank = "confidential-bank";
constexpr const char* kSource = "diary-of-anna.txt";
constexpr const char* kOriginal = "<html>what it was converted from</html>";

class SealedStoreTest : public testing::Test {
  protected:
    // The same content, whatever the options.
    DocumentRecord fill(const StoreOptions& options) {
        const auto store = open_or_die(options);
        EXPECT_TRUE(store->create_bank(kBank));
        EXPECT_TRUE(store->create_bank("another"));
        const auto bank = *store->bank_store(kBank);
        const DocumentRecord document = add_spelled_document(*bank, kSource, 2500);
        EXPECT_TRUE(bank->put_original(document.id, {"html", kOriginal, {{0, "page 1"}}}));
        EXPECT_TRUE(store->add_macro(kBank, macro("instruction-of-mine")));
        EXPECT_TRUE(store->add_macro(kBank, macro("a-second-one")));
        return document;
    }

    static MacroRecord macro(const std::string& name) {
        MacroRecord macro;
        macro.name = name;
        macro.text = "Answer as a pirate would";
        macro.base_model_name = "tiny-llama";
        Gist gist = gist_of({DocumentId(1), Level(1), NodeIndex(0)}, test_identity().encoder.shape);
        gist.index_vector.clear();
        macro.gists.push_back(std::move(gist));
        return macro;
    }

    Path sealed() const { return scratch_.path() / "sealed"; }

    Path plain() const { return scratch_.path() / "plain"; }

    // What LMDB holds under a key as it is stored.
    void change_stored(const std::function<void(WriteTransaction&)>& change) {
        const auto env = LmdbEnv::open(sealed(), EnvMode::kWrite, 1 << 20);
        ASSERT_TRUE(env);
        ASSERT_TRUE((*env)->write([&](WriteTransaction& txn) -> Result<void> {
            change(txn);
            return {};
        }));
    }

    ScratchDirectory scratch_;
    StoreKey key_ = key_of('a');
};

TEST_F(SealedStoreTest, ItHoldsWhatAPlainOneHolds) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    fill(test_options(plain()));
    const auto store = open_or_die(sealed_options(sealed(), key_, StoreMode::kRead));
    const auto other = open_or_die(test_options(plain(), StoreMode::kRead));
    EXPECT_NE(store->seal(), nullptr);
    EXPECT_EQ(other->seal(), nullptr);
    EXPECT_EQ(store->meta().format_version, kSealedFormatVersion);
    EXPECT_EQ(other->meta().format_version, kStoreFormatVersion);
    const auto bank = *store->bank_store(kBank);
    const auto twin = *other->bank_store(kBank);
    EXPECT_EQ(*bank->read_tokens(document.id, {0, 2500}),
              *twin->read_tokens(document.id, {0, 2500}));
    EXPECT_EQ((*bank->find_document_by_source(kSource))->id, document.id);
    EXPECT_FALSE(*bank->find_document_by_source("diary-of-bert.txt"));
    EXPECT_EQ(*bank->read_original(document.id, {0, std::string(kOriginal).size()}), kOriginal);
    for (std::uint64_t parent = 0; parent < 3; ++parent) {
        const auto group = *bank->find_gists(document.id, Level(1), NodeIndex(parent));
        const auto expected = *twin->find_gists(document.id, Level(1), NodeIndex(parent));
        ASSERT_TRUE(group && expected && group->gists.size() == expected->gists.size());
        for (std::size_t i = 0; i < group->gists.size(); ++i)
            EXPECT_TRUE(same_gist(group->gists[i], expected->gists[i]));
    }
    const auto names = [](const auto& records) {
        std::vector<std::string> all;
        for (const auto& record : records) all.push_back(record.name);
        return all;
    };
    EXPECT_EQ(names(*store->list_banks()), (std::vector<std::string>{"another", kBank}));
    EXPECT_EQ(names(*store->list_macros(kBank)),
              (std::vector<std::string>{"a-second-one", "instruction-of-mine"}));
    EXPECT_EQ(store->read_macro(kBank, "a-second-one")->text, "Answer as a pirate would");
    const auto summary = store->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    EXPECT_EQ(summary->faults, 0U);
}

TEST_F(SealedStoreTest, ItsFilesHoldNothingThatWasToldThem) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    fill(test_options(plain()));
    const auto store = open_or_die(test_options(plain(), StoreMode::kRead));
    const auto tokens = *(*store->bank_store(kBank))->read_tokens(document.id, {64, 80});
    const std::string hash = source_key(BankId(1), kSource).substr(5);
    const std::string all = bytes_below(sealed());
    const std::string control = bytes_below(plain());
    for (const std::string& told :
         {std::string(kBank), std::string(kSource), std::string(kOriginal), hash,
          std::string("instruction-of-mine"), std::string("Answer as a pirate"),
          std::string("nobody"), std::string("page 1"), ids_as_bytes(tokens)}) {
        EXPECT_NE(control.find(told), std::string::npos) << told;
        EXPECT_EQ(all.find(told), std::string::npos) << told;
    }
}

TEST_F(SealedStoreTest, OnlyItsKeyOpensItAndThePlainOneTakesNone) {
    fill(sealed_options(sealed(), key_));
    fill(test_options(plain()));
    const StoreKey other = key_of('b');
    for (const StoreMode mode : {StoreMode::kRead, StoreMode::kWrite, StoreMode::kWriteOrCreate}) {
        EXPECT_EQ(Store::open(sealed_options(sealed(), other, mode)).error().code(),
                  ErrorCode::kKey);
        const auto without = Store::open(test_options(sealed(), mode));
        EXPECT_EQ(without.error().code(), ErrorCode::kKey);
        EXPECT_NE(without.error().message().find("give --key-file"), std::string::npos);
        const auto refused = Store::open(sealed_options(plain(), key_, mode));
        EXPECT_EQ(refused.error().code(), ErrorCode::kKey);
        EXPECT_NE(refused.error().message().find("is not encrypted"), std::string::npos);
    }
    EXPECT_EQ(**Store::key_kind(sealed()), KeyKind::kFile);
    EXPECT_EQ(*Store::key_kind(plain()), std::nullopt);
}

TEST_F(SealedStoreTest, AnotherKeyTakesThePlaceOfTheFirst) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    const auto phrase = StoreKey::from_passphrase("correct horse", "the passphrase");
    {
        const auto store = open_or_die(sealed_options(sealed(), key_, StoreMode::kWrite));
        ASSERT_TRUE(store->change_key(*phrase));
        EXPECT_EQ((*store->bank_store(kBank))->read_tokens(document.id, {0, 10})->size(), 10U);
    }
    EXPECT_EQ(Store::open(sealed_options(sealed(), key_)).error().code(), ErrorCode::kKey);
    const auto store = open_or_die(sealed_options(sealed(), *phrase));
    EXPECT_EQ((*store->bank_store(kBank))->read_tokens(document.id, {0, 10})->size(), 10U);
    fill(test_options(plain()));
    const auto other = open_or_die(test_options(plain(), StoreMode::kWrite));
    EXPECT_EQ(other->change_key(*phrase).error().code(), ErrorCode::kKey);
}

TEST_F(SealedStoreTest, ARecordThatWasMovedOrChangedIsNamed) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    const std::string first = token_key(document.id, 0);
    const std::string second = token_key(document.id, 1);
    change_stored([&](WriteTransaction& txn) {
        const auto value = txn.find(Database::kTokens, first);
        ASSERT_TRUE(value && *value);
        const std::vector<std::byte> moved((*value)->bytes().begin(), (*value)->bytes().end());
        ASSERT_TRUE(txn.put(Database::kTokens, second, moved));
    });
    const auto store = open_or_die(sealed_options(sealed(), key_, StoreMode::kRead));
    const auto read = (*store->bank_store(kBank))->read_tokens(document.id, {1024, 1030});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(read.error().message().find("document 1, chunk 1: its seal is broken"),
              std::string::npos)
        << read.error().message();
    std::vector<std::string> faults;
    const auto summary =
        store->verify_records([&](const RecordFault& fault) { faults.push_back(fault.key); });
    ASSERT_TRUE(summary);
    ASSERT_FALSE(faults.empty());
    EXPECT_EQ(faults[0], "document 1, chunk 1");
}

TEST_F(SealedStoreTest, ARecordInClearIsNoRecordOfIt) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    const std::string key = token_key(document.id, 0);
    change_stored([&](WriteTransaction& txn) {
        TokenChunk chunk;
        chunk.tokens.assign(1024, 7);
        const RecordWords words = encode_tokens({Database::kTokens, key}, chunk);
        ASSERT_TRUE(txn.put(Database::kTokens, key, std::as_bytes(std::span(words))));
    });
    const auto store = open_or_die(sealed_options(sealed(), key_, StoreMode::kRead));
    EXPECT_EQ((*store->bank_store(kBank))->read_tokens(document.id, {0, 8}).error().code(),
              ErrorCode::kCorruption);
}

TEST_F(SealedStoreTest, ACopyIsEncryptedOrNotAsItIsAsked) {
    const DocumentRecord document = fill(test_options(plain()));
    const Path copy = scratch_.path() / "copy";
    const Path back = scratch_.path() / "back";
    const auto any = [](const Path&) -> Result<void> { return {}; };
    ASSERT_TRUE(back_up_recoded(plain(), copy, {nullptr, &key_}, any));
    EXPECT_EQ(bytes_below(copy).find(kSource), std::string::npos);
    ASSERT_TRUE(back_up_recoded(copy, back, {&key_, nullptr}, any));
    EXPECT_EQ(back_up_recoded(copy, scratch_.path() / "x", {nullptr, nullptr}, any).error().code(),
              ErrorCode::kKey);
    const auto first = open_or_die(test_options(plain(), StoreMode::kRead));
    const auto last = open_or_die(test_options(back, StoreMode::kRead));
    const auto middle = open_or_die(sealed_options(copy, key_, StoreMode::kWrite));
    for (const Store* store : {first.get(), middle.get(), last.get()}) {
        const auto bank = *const_cast<Store*>(store)->bank_store(kBank);
        EXPECT_EQ(text_of_document(*bank, document),
                  text_of_document(**const_cast<Store*>(first.get())->bank_store(kBank), document));
        EXPECT_EQ((*bank->find_document_by_source(kSource))->id, document.id);
        EXPECT_EQ(store
                      ->verify_records([](const RecordFault& fault) {
                          ADD_FAILURE() << fault.error.to_string();
                      })
                      ->faults,
                  0U);
    }
    EXPECT_EQ(last->meta().format_version, kStoreFormatVersion);
}

TEST_F(SealedStoreTest, WhatIsForgottenIsGoneAndAPurgeKeepsTheSeal) {
    const DocumentRecord document = fill(sealed_options(sealed(), key_));
    {
        const auto store = open_or_die(sealed_options(sealed(), key_));
        const auto bank = *store->bank_store(kBank);
        ASSERT_TRUE(bank->announce_forgets(std::vector{Tombstone{document.id, 99, 0, "why"}}));
        ASSERT_TRUE(bank->forget(document.id));
        ASSERT_TRUE(store->purge());
        EXPECT_FALSE(*bank->find_document_by_source(kSource));
        add_spelled_document(*bank, "another", 40);
    }
    const auto store = open_or_die(sealed_options(sealed(), key_, StoreMode::kRead));
    const auto bank = *store->bank_store(kBank);
    EXPECT_EQ(bank->list_documents()->size(), 1U);
    EXPECT_EQ(bank->tombstones()->size(), 1U);
}

}  // namespace
}  // namespace mc::storage
