// SPDX-License-Identifier: Apache-2.0
// Encrypted exports and damaged encrypted stores.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "storage/salvage/salvaged_store.h"
#include "tests/support/bank_fixture.h"
#include "tests/support/key_fixture.h"

namespace mc::storage {
namespace {

class SealedCarryTest : public testing::Test {
  protected:
    void SetUp() override {
        from_ = open_or_die(sealed_options(scratch_.path() / "from", key_));
        ASSERT_TRUE(from_->create_bank("work"));
        bank_ = *from_->bank_store("work");
        document_ = add_spelled_document(*bank_, "notes-of-anna", 2500);
        text_ = text_of_document(*bank_, document_);
    }

    Path file() const { return scratch_.path() / "work.mcbank"; }

    void write(const StoreKey* key) const {
        ExportOptions options;
        options.with_gists = true;
        options.text_of = spell;
        options.key = key;
        const auto report = export_bank(*from_, *bank_, file(), options);
        ASSERT_TRUE(report) << report.error().to_string();
        EXPECT_EQ(report->file_bytes, std::filesystem::file_size(file()));
    }

    void expect_arrival(const StoreKey* key) {
        const auto opened = BankFile::open(file(), key);
        ASSERT_TRUE(opened) << opened.error().to_string();
        const ScratchDirectory scratch;
        const auto to = open_or_die(test_options(scratch.path() / "to"));
        ASSERT_TRUE(to->create_bank("other"));
        const auto bank = *to->bank_store("other");
        const auto totals = import_all(**opened, *bank);
        ASSERT_TRUE(totals) << totals.error().to_string();
        const DocumentRecord found = **bank->find_document_by_source("notes-of-anna");
        EXPECT_EQ(text_of_document(*bank, found), text_);
        EXPECT_EQ(to->verify_records([](const RecordFault& fault) {
                        ADD_FAILURE() << fault.error.to_string();
                    })->faults,
                  0U);
    }

    ScratchDirectory scratch_;
    StoreKey key_ = key_of('a');
    std::unique_ptr<Store> from_;
    std::unique_ptr<NodeStore> bank_;
    DocumentRecord document_;
    std::string text_;
};

TEST_F(SealedCarryTest, AnExportArrivesWithItsKeyAndTellsNothingWithout) {
    write(&key_);
    expect_arrival(&key_);
    const std::string bytes = *read_file(file(), 1 << 28);
    EXPECT_EQ(bytes.find(text_.substr(100, 12)), std::string::npos);
    EXPECT_EQ(bytes.find("notes-of-anna"), std::string::npos);
    const StoreKey other = key_of('b');
    const auto refused = BankFile::open(file(), &other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kKey);
    EXPECT_NE(refused.error().message().find("the key does not open " + file().string()),
              std::string::npos);
    EXPECT_EQ(BankFile::open(file()).error().code(), ErrorCode::kKey);
    write(nullptr);
    const std::string plain = *read_file(file(), 1 << 28);
    EXPECT_NE(plain.find(text_.substr(100, 12)), std::string::npos);
    expect_arrival(nullptr);
    expect_arrival(&key_);
}

TEST_F(SealedCarryTest, AChangedByteOfAnEncryptedExportIsNoticed) {
    write(&key_);
    const std::string sound = *read_file(file(), 1 << 28);
    Rng rng(7);
    for (int round = 0; round < 300; ++round) {
        std::string bytes = sound;
        const std::size_t at =
            round < 200 ? static_cast<std::size_t>(round) : rng.below(bytes.size());
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
        const auto walked = [&]() -> Result<BankFileTotals> {
            MC_ASSIGN(const auto opened, BankFile::open(file(), &key_));
            return opened->walk({});
        }();
        EXPECT_FALSE(walked) << "byte " << at;
    }
}

// The checksum of a section is no secret; its seal is.
TEST_F(SealedCarryTest, SectionsThatChangedPlacesAreNoticed) {
    const ScratchDirectory scratch;
    const Sealer sealer(random_secret());
    const auto written = [&](const char* name, std::initializer_list<const char*> texts) {
        const Path path = scratch.path() / name;
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
        SectionWriter out(fd, name);
        out.use_sealer(&sealer);
        for (const char* text : texts) EXPECT_TRUE(out.put(SectionKind::kText, text));
        EXPECT_TRUE(out.flush());
        return std::pair(fd, out.bytes());
    };
    const auto [fd, bytes] = written("a", {"first text", "other text"});
    std::string content(bytes, '\0');
    ASSERT_EQ(::pread(fd, content.data(), bytes, 0), static_cast<ssize_t>(bytes));
    const auto texts = [&, fd = fd, bytes = bytes](const std::string& now) -> Result<std::string> {
        EXPECT_EQ(::pwrite(fd, now.data(), bytes, 0), static_cast<ssize_t>(bytes));
        SectionReader in(fd, bytes, "a", 0);
        in.use_sealer(&sealer);
        MC_ASSIGN(const std::string first, in.next_text());
        MC_ASSIGN(const std::string second, in.next_text());
        return first + second;
    };
    EXPECT_EQ(*texts(content), "first textother text");
    // The payloads swapped, with checksums that fit: a checksum covers number and payload apart.
    const std::size_t half = bytes / 2;
    const auto sum = [&](std::size_t at) {
        std::uint64_t value = 0;
        std::memcpy(&value, content.data() + at + 8, sizeof value);
        return value;
    };
    const auto payload_hash = [&](std::size_t at) {
        return xxh3_64(std::as_bytes(std::span(content)).subspan(at + 16, half - 16));
    };
    std::string swapped = content.substr(half) + content.substr(0, half);
    for (const std::size_t at : {std::size_t{0}, half}) {
        const std::size_t other = half - at;
        const std::uint64_t fitting = sum(at) ^ payload_hash(at) ^ payload_hash(other);
        std::memcpy(swapped.data() + at + 8, &fitting, sizeof fitting);
    }
    const auto read = texts(swapped);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message().find("its seal is broken"), std::string::npos)
        << read.error().message();
    ::close(fd);
}

TEST_F(SealedCarryTest, ADamagedStoreGivesBackWhatIsWholeWithItsKey) {
    const DocumentRecord second = add_spelled_document(*bank_, "other-notes", 1500);
    const std::string second_text = text_of_document(*bank_, second);
    ASSERT_TRUE(bank_->put_original(second.id, {"pdf", std::string(270'000, 'z'), {}}));
    bank_.reset();
    from_.reset();
    const Path data = scratch_.path() / "from" / "data.mdb";
    const std::string sound = *read_file(data, 1 << 28);
    const auto whole = [&]() -> Result<std::vector<std::string>> {
        MC_ASSIGN(const auto store, SalvagedStore::open(data.parent_path(), &key_));
        std::vector<std::string> names;
        const auto documents = store->documents(spell);
        for (const SalvagedDocument& document : documents) {
            if (!document.is_whole) continue;
            names.push_back(document.bank + "/" + document.record.source_name);
            const auto pieces = store->pieces(document, document.has_gists);
            MC_TRY(pieces->rewind());
            std::string text;
            while (true) {
                MC_ASSIGN(const auto piece, pieces->next());
                if (!piece) break;
                if (const auto* chunk = std::get_if<TokenChunk>(&*piece))
                    text += *spell(chunk->tokens);
            }
            EXPECT_TRUE(text == text_ || text == second_text);
        }
        return names;
    };
    const std::vector<std::string> both{"work/notes-of-anna", "work/other-notes"};
    EXPECT_EQ(*whole(), both);
    EXPECT_EQ(SalvagedStore::open(data.parent_path()).error().code(), ErrorCode::kKey);
    const StoreKey other = key_of('b');
    EXPECT_EQ(SalvagedStore::open(data.parent_path(), &other).error().code(), ErrorCode::kKey);
    // Both meta pages gone: no tree can be followed, and everything is found all the same.
    std::string bytes = sound;
    std::fill(bytes.begin(), bytes.begin() + 2 * 4096, '\0');
    std::ofstream(data, std::ios::binary | std::ios::trunc) << bytes;
    EXPECT_EQ(*whole(), both);
    // Damage anywhere loses documents and invents none.
    Rng rng(11);
    for (int round = 0; round < 40; ++round) {
        bytes = sound;
        for (int flips = 0; flips < 8; ++flips) {
            const std::size_t at = rng.below(bytes.size());
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
        }
        std::ofstream(data, std::ios::binary | std::ios::trunc) << bytes;
        const auto found = whole();
        if (!found) {
            EXPECT_TRUE(found.error().code() == ErrorCode::kCorruption ||
                        found.error().code() == ErrorCode::kKey);
            continue;
        }
        for (const std::string& name : *found)
            EXPECT_TRUE(name == both[0] || name == both[1] || name.starts_with("recovered") ||
                        name.find("recovered/") != std::string::npos)
                << name;
    }
}

}  // namespace
}  // namespace mc::storage
