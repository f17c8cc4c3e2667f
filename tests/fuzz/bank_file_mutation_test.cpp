// SPDX-License-Identifier: Apache-2.0
// Damaged and hostile exports: every cut and every flipped byte is a named error before anything is
// stored; a file whose checksums an enemy made right ends in an error too, or in a store that
// verify finds sound. The asan preset makes that a strong claim.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iostream>

#include "tests/fuzz/mutations.h"
#include "tests/support/bank_fixture.h"

namespace mc::storage {
namespace {

constexpr std::uint64_t kSeed = 20261130;
constexpr int kMutationCount = 4'000;
constexpr int kHostileCount = 1'500;

class BankFileMutation : public testing::Test {
  protected:
    void SetUp() override {
        const auto store = open_or_die(test_options(scratch_.path() / "from"));
        ASSERT_TRUE(store->create_bank("work"));
        const auto bank = *store->bank_store("work");
        add_spelled_document(*bank, "one", 70);
        const DocumentRecord gone = add_spelled_document(*bank, "two", 20);
        const DocumentRecord three = add_spelled_document(*bank, "three", 1100);
        ASSERT_TRUE(bank->put_original(three.id, {"html", "<p>three</p>", {{7, "page 2"}}}));
        ASSERT_TRUE(bank->announce_forgets(std::vector{Tombstone{gone.id, 99, 0, "why"}}));
        ASSERT_TRUE(bank->forget(gone.id));
        ExportOptions options;
        options.with_gists = true;
        options.text_of = spell;
        ASSERT_TRUE(export_bank(*store, *bank, file(), options));
        sound_ = *read_file(file(), 1 << 24);
    }

    Path file() const { return scratch_.path() / "bank"; }

    // Checks the whole file, as import does first.
    Result<BankFileTotals> check(const std::string& bytes) const {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
        MC_ASSIGN(const auto opened, BankFile::open(file()));
        return opened->walk({spell, {}, {}, {}});
    }

    static void expect_named(const Error& error) {
        const bool is_named = error.code() == ErrorCode::kCorruption ||
                              error.code() == ErrorCode::kInvalidInput ||
                              error.code() == ErrorCode::kFormatVersion;
        EXPECT_TRUE(is_named) << error.to_string();
        EXPECT_NE(error.to_string().find("/bank"), std::string::npos) << error.to_string();
    }

    ScratchDirectory scratch_;
    std::string sound_;
};

TEST_F(BankFileMutation, EveryCutIsNamed) {
    ASSERT_TRUE(check(sound_)) << "the file to be damaged must be sound";
    for (std::size_t size = 0; size < sound_.size(); size += size < 600 ? 1 : 7)
        expect_named(check(sound_.substr(0, size)).error());
    expect_named(check(sound_ + '\0').error());
}

TEST_F(BankFileMutation, EveryFlippedByteIsNamed) {
    for (std::size_t at = 0; at < sound_.size(); at += at < 600 ? 1 : 5) {
        std::string bytes = sound_;
        bytes[at] ^= static_cast<char>(1U << (at % 8));
        const auto checked = check(bytes);
        ASSERT_FALSE(checked) << "byte " << at;
        expect_named(checked.error());
    }
}

TEST_F(BankFileMutation, DamageOfAnyKindIsNamed) {
    std::cout << "seed " << kSeed << ", " << kMutationCount << " mutations\n";
    Rng rng(kSeed);
    for (int i = 0; i < kMutationCount && !HasFailure(); ++i) {
        SCOPED_TRACE("mutation " + std::to_string(i));
        const std::string bytes = mc::test::mutate(sound_, rng);
        const auto checked = check(bytes);
        if (bytes == sound_) continue;
        ASSERT_FALSE(checked);
        expect_named(checked.error());
    }
}

// Writes the sections anew, some of them damaged, all with checksums that are right.
class Forger {
  public:
    explicit Forger(const Path& from) : fd_(::open(from.c_str(), O_RDONLY | O_CLOEXEC)) {}

    ~Forger() { ::close(fd_); }

    Forger(const Forger&) = delete;
    Forger& operator=(const Forger&) = delete;

    void forge(std::uint64_t size_bytes, const Path& to, Rng& rng) const {
        const int out_fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        SectionReader in(fd_, size_bytes, "sound", kBankFileHeadBytes);
        SectionWriter out(out_fd, "forged");
        ASSERT_TRUE(out.put_raw(bank_file_head(true, false)));
        while (!in.at_end()) {
            auto section = in.next();
            ASSERT_TRUE(section) << section.error().to_string();
            const auto what = rng.below(60);
            if (what == 0) continue;
            if (what < 4) damage(*section, rng);
            for (int copies = what == 4 ? 2 : 1; copies > 0; --copies)
                ASSERT_TRUE(out.put(section->kind, section->payload));
        }
        ASSERT_TRUE(out.flush());
        ::close(out_fd);
    }

  private:
    // A record's message, under a checksum of its own that is right again; else any bytes.
    static void damage(Section& section, Rng& rng) {
        const auto record = parse_record(section.payload);
        if (section.kind != SectionKind::kRecord || !record || record->value.size() <= 8 ||
            rng.below(8) == 0) {
            section.payload = mc::test::mutate(section.payload, rng);
            return;
        }
        const std::size_t begin = section.payload.size() - record->value.size();
        std::string message = section.payload.substr(begin + 8);
        mc::test::flip_bits(message, rng);
        if (rng.below(2) == 0) mc::test::write_extreme(message, rng);
        std::string name(database_name(record->database));
        name += '/' + std::string(record->key);
        const std::uint64_t checksum =
            xxh3_64(std::as_bytes(std::span(message))) ^ xxh3_64(std::as_bytes(std::span(name)));
        std::memcpy(section.payload.data() + begin, &checksum, sizeof checksum);
        section.payload.replace(begin + 8, std::string::npos, message);
    }

    int fd_;
};

TEST_F(BankFileMutation, AnEnemysFileIsRefusedOrMakesASoundStore) {
    std::cout << "seed " << kSeed << ", " << kHostileCount << " forged files\n";
    const Path sound = scratch_.path() / "sound";
    std::filesystem::copy_file(file(), sound);
    const Forger forger(sound);
    const auto store = open_or_die(test_options(scratch_.path() / "to"));
    Rng rng(kSeed);
    int taken = 0;
    int refused = 0;
    for (int i = 0; i < kHostileCount && !HasFailure(); ++i) {
        SCOPED_TRACE("forgery " + std::to_string(i));
        forger.forge(sound_.size(), file(), rng);
        const std::string name = "b" + std::to_string(i);
        const auto opened = BankFile::open(file());
        if (!opened || !takes_gists_of(store->meta(), (*opened)->head().meta)) {
            ++refused;
            continue;
        }
        ASSERT_TRUE(store->create_bank(name));
        const auto bank = *store->bank_store(name);
        import_all(**opened, *bank) ? ++taken : ++refused;
    }
    const auto summary = store->verify_records(
        [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); });
    ASSERT_TRUE(summary);
    std::cout << taken << " taken, " << refused << " refused\n";
    EXPECT_GT(refused, kHostileCount / 10);
    EXPECT_GT(taken, kHostileCount / 100);
}

}  // namespace
}  // namespace mc::storage
