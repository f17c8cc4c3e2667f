// SPDX-License-Identifier: Apache-2.0
// A bank carried in a file: everything arrives, whole or not at all, and a foreign file is told
// from a damaged one.
#include "storage/portable/bank_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "tests/support/bank_fixture.h"
#include "tests/support/fake_encoder.h"
#include "tree/tree_check.h"

namespace mc::storage {
namespace {

class BankFileTest : public testing::Test {
  protected:
    void SetUp() override {
        from_ = open_or_die(test_options(scratch_.path() / "from"));
        ASSERT_TRUE(from_->create_bank("work"));
        bank_ = *from_->bank_store("work");
        for (const auto& [name, count] : {std::pair("empty", 0U),
                                          {"short", 7U},
                                          {"long", 2500U},
                                          {"gone", 40U},
                                          {"exact", 1024U}})
            documents_.push_back(add_spelled_document(*bank_, name, count));
        ASSERT_TRUE(
            bank_->announce_forgets(std::vector{Tombstone{documents_[3].id, 99, 0, "why"}}));
        ASSERT_TRUE(bank_->forget(documents_[3].id));
        documents_.erase(documents_.begin() + 3);
        ASSERT_TRUE(bank_->put_original(documents_[2].id, original()));
    }

    // Of two pieces.
    static Original original() {
        Original original{"html", std::string(300'000, 'x'), {{0, "page 1"}, {100, "page 2"}}};
        original.bytes[299'999] = 'y';
        return original;
    }

    // A document's original is the one above.
    static void expect_original(const NodeStore& bank) {
        const DocumentRecord document = **bank.find_document_by_source("long");
        const auto record = *bank.find_original(document.id);
        ASSERT_TRUE(record);
        EXPECT_EQ(record->kind, "html");
        EXPECT_EQ(record->places, original().places);
        EXPECT_EQ(*bank.read_original(document.id, {0, record->byte_count}), original().bytes);
        EXPECT_FALSE(*bank.find_original((*bank.find_document_by_source("short"))->id));
    }

    Path file() const { return scratch_.path() / "work.mcbank"; }

    ExportReport write(bool with_gists) const {
        ExportOptions options;
        options.with_gists = with_gists;
        options.text_of = spell;
        const auto report = export_bank(*from_, *bank_, file(), options);
        EXPECT_TRUE(report) << report.error().to_string();
        return *report;
    }

    std::unique_ptr<BankFile> open() const {
        auto opened = BankFile::open(file());
        EXPECT_TRUE(opened) << opened.error().to_string();
        return std::move(*opened);
    }

    std::unique_ptr<NodeStore> target(const StoreOptions& options) {
        to_ = open_or_die(options);
        EXPECT_TRUE(to_->create_bank("other"));
        return *to_->bank_store("other");
    }

    std::unique_ptr<NodeStore> target() { return target(test_options(scratch_.path() / "to")); }

    std::uint64_t faults() const {
        return (*to_->verify_records(
                    [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); }))
            .faults;
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> from_;
    std::unique_ptr<NodeStore> bank_;
    std::vector<DocumentRecord> documents_;
    std::unique_ptr<Store> to_;
};

TEST_F(BankFileTest, ADocumentWhoseGistsAreBehindArrivesAsItIs) {
    // 2,500 tokens with all of their gists, and 100 more without.
    IngestBatch batch = next_batch(**bank_->find_document(documents_[2].id), 100, kSpelledTokens);
    batch.gists.clear();
    std::string text = text_of_document(*bank_, documents_[2]) + *spell(batch.tokens);
    for (std::size_t i = 0; i < batch.tokens.size(); ++i)
        batch.token_sizes_bytes[i] = static_cast<std::uint16_t>(spelled(batch.tokens[i]).size());
    batch.document.byte_count = text.size();
    batch.document.content_hash = xxh3_128(std::as_bytes(std::span(text)));
    ASSERT_TRUE(bank_->commit(batch));
    ASSERT_EQ((**bank_->find_document(documents_[2].id)).gist_end, tail_begin(2500));
    write(true);

    const auto opened = open();
    const auto bank = target();
    const auto totals = import_all(*opened, *bank);
    ASSERT_TRUE(totals) << totals.error().to_string();
    const DocumentRecord found = **bank->find_document_by_source("long");
    EXPECT_EQ(found.token_count, 2600U);
    EXPECT_EQ(found.gist_end, tail_begin(2500));
    EXPECT_EQ(text_of_document(*bank, found), text);
    EXPECT_EQ((*bank->find_gists(found.id, Level(1), NodeIndex(2)))->gists.size(), 2500U / 32 - 64);
    EXPECT_FALSE(*bank->find_gists(found.id, Level(1), NodeIndex(3)));
    EXPECT_EQ(faults(), 0U);
}

TEST_F(BankFileTest, EverythingArrivesWithItsGists) {
    const ExportReport report = write(true);
    EXPECT_EQ(report.totals.documents, 4U);
    EXPECT_EQ(report.totals.tokens, 7U + 2500U + 1024U);
    EXPECT_EQ(report.totals.tombstones, 1U);
    EXPECT_EQ(report.file_bytes, std::filesystem::file_size(file()));

    const auto opened = open();
    EXPECT_EQ(opened->head().bank.name, "work");
    EXPECT_TRUE(opened->head().has_gists);
    const auto bank = target();
    add_spelled_document(*bank, "was here", 100);  // ids differ from the file's
    const auto totals = import_all(*opened, *bank);
    ASSERT_TRUE(totals) << totals.error().to_string();
    EXPECT_EQ(*totals, report.totals);
    for (const DocumentRecord& document : documents_) {
        const auto found = *bank->find_document_by_source(document.source_name);
        ASSERT_TRUE(found) << document.source_name;
        EXPECT_EQ(portable_part(*found), portable_part(document));
        EXPECT_EQ(text_of_document(*bank, *found), text_of_document(*bank_, document));
        for (Level level(1); level <= top_level(document.token_count); ++level.value)
            for (std::uint64_t i = 0; i <= node_count(document.token_count, level) / kBlockSize;
                 ++i) {
                const auto old_group = *bank_->find_gists(document.id, level, NodeIndex(i));
                const auto new_group = *bank->find_gists(found->id, level, NodeIndex(i));
                ASSERT_EQ(old_group.has_value(), new_group.has_value());
                for (std::size_t j = 0; old_group && j < old_group->gists.size(); ++j)
                    EXPECT_TRUE(same_gist(old_group->gists[j], new_group->gists.at(j)));
            }
    }
    expect_original(*bank);
    const auto tombstones = *bank->tombstones();
    ASSERT_EQ(tombstones.size(), 1U);
    EXPECT_EQ(tombstones[0].reason, "why");
    EXPECT_EQ(tombstones[0].token_count, 40U);
    EXPECT_EQ(faults(), 0U);
    EXPECT_TRUE((*journal_violations(*bank)).empty());
}

TEST_F(BankFileTest, VersionsArriveAsWhatTheyWere) {
    const DocumentRecord second =
        add_spelled_document(*bank_, "long", 1100, Succession{documents_[2].id, 50, 9, ""});
    const DocumentRecord third =
        add_spelled_document(*bank_, "long", 40, Succession{second.id, 60, 9, ""});
    write(true);
    const auto opened = open();
    const auto bank = target();
    const auto totals = import_all(*opened, *bank);
    ASSERT_TRUE(totals) << totals.error().to_string();
    EXPECT_EQ(totals->documents, 6U);
    EXPECT_EQ(bank->list_documents()->size(), 4U);
    const DocumentRecord standing = **bank->find_document_by_source("long");
    EXPECT_EQ(portable_part(standing), portable_part(third));
    const auto old = *bank_->versions_of("long");
    const auto arrived = *bank->versions_of("long");
    ASSERT_EQ(arrived.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(portable_part(arrived[i]), portable_part(old[i]));
        EXPECT_EQ(text_of_document(*bank, arrived[i]), text_of_document(*bank_, old[i]));
        EXPECT_TRUE(same_gist((*bank->find_gists(arrived[i].id, Level(1), NodeIndex(0)))->gists[0],
                              (*bank_->find_gists(old[i].id, Level(1), NodeIndex(0)))->gists[0]));
    }
    EXPECT_EQ(bank->find_original(arrived[0].id)->value().kind, "html");
    EXPECT_EQ(faults(), 0U);
    EXPECT_TRUE((*journal_violations(*bank)).empty());
}

TEST_F(BankFileTest, TheFileIsItsOwnersAndReplacesWhatWasThere) {
    std::ofstream(file()) << "something older";
    write(false);

    struct stat info {};

    ASSERT_EQ(::stat(file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_FALSE(std::filesystem::exists(file().string() + ".new"));
    EXPECT_FALSE(open()->head().has_gists);
}

TEST_F(BankFileTest, WhatIsToBeForgottenIsNotExported) {
    ASSERT_TRUE(bank_->announce_forgets(std::vector{Tombstone{documents_[2].id, 99, 0, ""}}));
    EXPECT_EQ(write(true).totals.documents, 3U);
    const std::string bytes = *read_file(file(), 1 << 24);
    EXPECT_EQ(bytes.find("\4long"), std::string::npos);
    EXPECT_EQ(bytes.find(text_of_document(*bank_, documents_[2]).substr(0, 64)), std::string::npos);
}

TEST_F(BankFileTest, WithoutGistsTheyAreMadeFromTheTokens) {
    write(false);
    FakeEncoder encoder;
    StoreOptions options = test_options(scratch_.path() / "to");
    options.identity->encoder = encoder.info();
    options.codec_at_creation = GistCodec::kFp16;
    const auto bank = target(options);
    BankFile::Visit visit;
    visit.text_of = spell;
    visit.on_document = [&](FileDocument& document) -> Result<void> {
        const auto next = [&]() -> Result<std::optional<MadePiece>> {
            MC_ASSIGN(const auto piece, document.next());
            if (!piece) return std::optional<MadePiece>();
            if (const auto* original = std::get_if<OriginalRecord>(&*piece))
                return std::optional<MadePiece>(*original);
            if (const auto* bytes = std::get_if<OriginalPiece>(&*piece))
                return std::optional<MadePiece>(*bytes);
            return std::optional<MadePiece>(std::get<TokenChunk>(*piece).tokens);
        };
        const auto size_of = [](TokenId token) {
            return static_cast<std::uint16_t>(spelled(token).size());
        };
        return import_encoding(*bank, document.record(), {encoder, next, size_of, nullptr})
            .map([](const auto&) {});
    };
    const auto totals = open()->walk(visit);
    ASSERT_TRUE(totals) << totals.error().to_string();
    EXPECT_EQ(faults(), 0U);
    expect_original(*bank);
    const auto made = *bank->list_documents();
    EXPECT_EQ(made.size(), 4U);
    for (const DocumentRecord& document : made)
        EXPECT_TRUE((*tree_violations(*bank, document.id, encoder.info().shape)).empty());
}

TEST_F(BankFileTest, ANameThatIsTakenChangesNothing) {
    write(true);
    const auto bank = target();
    add_spelled_document(*bank, "empty", 3);
    const auto refused = import_all(*open(), *bank);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ((*bank->list_documents()).size(), 1U);
    EXPECT_EQ(faults(), 0U);
}

TEST_F(BankFileTest, HowFarALogWasFollowedBecomesDurableWithTheDocumentAndWithNothingElse) {
    write(true);
    const StoreOptions options = test_options(scratch_.path() / "to");
    auto bank = target(options);
    EXPECT_EQ(*log_position(*bank), LogPosition());
    std::uint64_t sequence = 0;
    BankFile::Visit visit;
    visit.text_of = spell;
    visit.on_document = [&](FileDocument& document) {
        return import_document(*bank, document.record(), document, LogPosition{77, ++sequence})
            .map([](const auto&) {});
    };
    ASSERT_TRUE(open()->walk(visit));
    EXPECT_EQ(*log_position(*bank), (LogPosition{77, documents_.size()}));
    // The names are taken: nothing goes in, and the position stays.
    sequence = 99;
    EXPECT_FALSE(open()->walk(visit));
    EXPECT_EQ(*log_position(*bank), (LogPosition{77, documents_.size()}));
    ASSERT_TRUE(set_log_position(*bank, {77, 8}));
    // Another bank of the store follows a log of its own, or none.
    ASSERT_TRUE(to_->create_bank("another"));
    EXPECT_EQ(*log_position(**to_->bank_store("another")), LogPosition());
    bank.reset();
    to_.reset();
    to_ = open_or_die(options);
    EXPECT_EQ(*log_position(**to_->bank_store("other")), (LogPosition{77, 8}));
    EXPECT_EQ((*to_->find_bank("other"))->created_us, test_clock().now_us());
    EXPECT_EQ(faults(), 0U);
}

TEST_F(BankFileTest, TombstonesArriveOnce) {
    write(true);
    const auto bank = target();
    ASSERT_TRUE(import_all(*open(), *bank));
    EXPECT_FALSE(import_all(*open(), *bank)) << "names are taken by now";
    EXPECT_EQ(*import_tombstones(*bank, *bank_->tombstones()), 0U);
    EXPECT_EQ((*bank->tombstones()).size(), 1U);
}

TEST_F(BankFileTest, OtherFilesAreToldApart) {
    const auto code_of = [&](const std::string& bytes) {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
        const auto opened = BankFile::open(file());
        return opened ? std::optional<ErrorCode>() : opened.error().code();
    };
    write(true);
    const std::string sound = *read_file(file(), 1 << 24);
    EXPECT_EQ(code_of(sound), std::nullopt);
    EXPECT_EQ(code_of(""), ErrorCode::kInvalidInput);
    EXPECT_EQ(code_of("some text that somebody wrote"), ErrorCode::kInvalidInput);
    EXPECT_EQ(code_of(sound.substr(0, 20)), ErrorCode::kCorruption);
    std::string newer = sound;
    newer[8] = 3;
    const std::uint64_t checksum =
        xxh3_64(std::as_bytes(std::span(newer)).first(kBankFileHeadBytes - 8));
    std::memcpy(newer.data() + kBankFileHeadBytes - 8, &checksum, sizeof checksum);
    EXPECT_EQ(code_of(newer), ErrorCode::kFormatVersion);
    EXPECT_EQ(BankFile::open(scratch_.path()).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(BankFile::open(scratch_.path() / "none").error().code(), ErrorCode::kInvalidInput);
}

TEST_F(BankFileTest, ADocumentThatIsDamagedOnTheWayIsNotTakenInHalf) {
    write(true);
    const auto bank = target();
    const auto opened = open();
    // The file is checked before it is imported; here it changes in between.
    std::string bytes = *read_file(file(), 1 << 24);
    bytes[bytes.size() - 3000] ^= 1;  // in a late group of the last document
    std::fstream(file(), std::ios::binary | std::ios::in | std::ios::out) << bytes;
    const auto refused = import_all(*opened, *bank);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(refused.error().message().find("work.mcbank, section"), std::string::npos);
    EXPECT_EQ((*bank->list_documents()).size(), 3U);
    EXPECT_EQ(faults(), 0U);
}

}  // namespace
}  // namespace mc::storage
