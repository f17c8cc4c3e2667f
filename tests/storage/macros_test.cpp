// SPDX-License-Identifier: Apache-2.0
// Macros: kept whole beside a bank's documents, one bank's from another's, and gone when removed.
#include <gtest/gtest.h>

#include "storage/lmdb/record_codec.h"
#include "storage/lmdb/store_parts.h"
#include "storage/store.h"
#include "tests/storage/tamper.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {
namespace {

MacroRecord macro_of(const std::string& name, std::size_t gists) {
    MacroRecord macro;
    macro.name = name;
    macro.created_us = 17;
    macro.text = "Answer “briefly”,\nand in verse.";
    macro.token_count = 11;
    macro.base_model_name = "tiny-llama";
    macro.base_model_hash = {1, 2};
    macro.recipe_hash = {7, gists};
    macro.steps = 5;
    macro.seed = 9;
    macro.nll_none = 3;
    macro.nll_full = 1;
    macro.nll_gists = 1.5;
    macro.seconds = 2.5;
    for (std::uint64_t i = 0; i < gists; ++i) {
        const NodeId node{DocumentId(5), Level(1), NodeIndex(2 * i + 1)};  // with log-mass
        Gist& gist = macro.gists.emplace_back(gist_of(node, test_identity().encoder.shape));
        gist.index_vector.clear();
        gist.statistics = {};
    }
    return macro;
}

class MacrosTest : public testing::Test {
  protected:
    MacrosTest() {
        reopen(StoreMode::kWriteOrCreate);
        EXPECT_TRUE(store_->create_bank("alpha"));
        EXPECT_TRUE(store_->create_bank("beta"));
    }

    void reopen(StoreMode mode) {
        store_.reset();
        store_ = open_or_die(test_options(directory(), mode));
    }

    Path directory() const { return scratch_.path() / "store"; }

    std::uint64_t fault_count() const {
        return store_->verify_records([](const RecordFault&) {})->faults;
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
};

TEST_F(MacrosTest, ComeBackAsTheyWereKept) {
    const MacroRecord kept = macro_of("brief", 3);
    ASSERT_TRUE(store_->add_macro("alpha", kept));
    reopen(StoreMode::kRead);
    const auto found = store_->read_macro("alpha", "brief");
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(found->name, "brief");
    EXPECT_EQ(found->text, kept.text);
    EXPECT_EQ(found->token_count, 11U);
    EXPECT_EQ(found->base_model_hash, kept.base_model_hash);
    EXPECT_EQ(found->recipe_hash, kept.recipe_hash);
    EXPECT_EQ(found->steps, 5U);
    EXPECT_EQ(found->seed, 9U);
    EXPECT_DOUBLE_EQ(found->gain_kept(), .75);
    ASSERT_EQ(found->gists.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(found->gists[i].kv, kept.gists[i].kv);
        EXPECT_EQ(found->gists[i].log_mass, kept.gists[i].log_mass);
    }
    EXPECT_EQ(fault_count(), 0U);
}

TEST_F(MacrosTest, AreOfOneBank) {
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("b", 1)));
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("a", 2)));
    ASSERT_TRUE(store_->add_macro("beta", macro_of("a", 1)));
    const auto alpha = *store_->list_macros("alpha");
    ASSERT_EQ(alpha.size(), 2U);
    EXPECT_EQ(alpha[0].name, "a");
    EXPECT_EQ(alpha[1].name, "b");
    EXPECT_EQ(store_->list_macros("beta")->size(), 1U);
    EXPECT_FALSE(store_->read_macro("beta", "b"));
    ASSERT_TRUE(store_->remove_macro("alpha", "a"));
    EXPECT_EQ(store_->list_macros("alpha")->size(), 1U);
    EXPECT_EQ(store_->list_macros("beta")->size(), 1U);
    EXPECT_FALSE(store_->list_macros("gamma"));
}

TEST_F(MacrosTest, NamesAreTakenOnceAndPlain) {
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("brief", 1)));
    const auto taken = store_->add_macro("alpha", macro_of("brief", 2));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(store_->read_macro("alpha", "brief")->gists.size(), 1U);
    for (const std::string& name : {std::string(), std::string("a b"), std::string(65, 'x')}) {
        EXPECT_FALSE(store_->add_macro("alpha", macro_of(name, 1))) << name;
        EXPECT_FALSE(store_->read_macro("alpha", name)) << name;
        EXPECT_FALSE(store_->remove_macro("alpha", name)) << name;
    }
    const auto unknown = store_->remove_macro("alpha", "long");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message().find("\"long\""), std::string::npos);
    reopen(StoreMode::kRead);
    EXPECT_FALSE(store_->add_macro("alpha", macro_of("late", 1)));
}

TEST_F(MacrosTest, DocumentsTakeNoNoticeOfThem) {
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("brief", 1)));
    auto bank = *store_->bank_store("alpha");
    DocumentRecord draft;
    draft.source_name = "brief";
    const DocumentRecord document = *bank->create_document(draft);
    EXPECT_EQ(bank->list_documents()->size(), 1U);
    const Tombstone tombstone{document.id, 1, 0, ""};
    ASSERT_TRUE(bank->announce_forgets(std::span(&tombstone, 1)));
    ASSERT_TRUE(bank->forget(document.id));
    EXPECT_EQ(bank->tombstones()->size(), 1U);
    bank.reset();
    EXPECT_EQ(store_->list_macros("alpha")->size(), 1U);
    EXPECT_EQ(fault_count(), 0U);
}

TEST_F(MacrosTest, APurgeLeavesNothingOfARemovedOne) {
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("brief", 1)));
    ASSERT_TRUE(store_->remove_macro("alpha", "brief"));
    ASSERT_TRUE(store_->purge());
    EXPECT_EQ(read_file(directory() / "data.mdb", 1 << 24)->find("in verse"), std::string::npos);
}

TEST_F(MacrosTest, VerifyFindsADamagedOne) {
    ASSERT_TRUE(store_->add_macro("alpha", macro_of("brief", 1)));
    store_.reset();
    const std::string lost = macro_key(BankId(77), "brief");
    const std::string key = macro_key(BankId(1), "brief");
    tamper(directory(), [&](WriteTransaction& txn) -> Result<void> {
        MacroRecord wrong = macro_of("brief", 1);
        wrong.gists[0].kv.pop_back();
        MC_TRY(put_record(txn, Database::kDocuments, key, encode_macro, wrong));
        return put_record(txn, Database::kDocuments, lost, encode_macro, macro_of("brief", 1));
    });
    reopen(StoreMode::kRead);
    EXPECT_EQ(fault_count(), 2U);
    const auto damaged = store_->read_macro("alpha", "brief");
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(damaged.error().message().find("macro \"brief\""), std::string::npos);
}

}  // namespace
}  // namespace mc::storage
