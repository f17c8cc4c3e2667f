// SPDX-License-Identifier: Apache-2.0
// Damaged files: every flipped byte and every cut ends in a clean error or the right answer; never
// in a dead process and never in a wrong answer. Each try runs in a child of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <span>

#include "tests/support/store_fixture.h"
#include "tests/support/store_processes.h"

namespace mc::storage {
namespace {

enum Outcome : int { kRightAnswer = 10, kCleanError = 11, kWrongAnswer = 12, kOddError = 13 };

constexpr std::uint64_t kSeed = 20261122;

bool is_expected(ErrorCode code) {
    return code == ErrorCode::kCorruption || code == ErrorCode::kFormatVersion ||
           code == ErrorCode::kModelMismatch;
}

// A hash of everything that a reader can ask a store.
class Digest {
  public:
    template <class T>
    void add(const T* values, std::size_t count) {
        hash_.update(std::as_bytes(std::span(values, count)));
    }

    void add(std::uint64_t number) { add(&number, 1); }

    void add(const std::string& text) {
        add(text.size());
        add(text.data(), text.size());
    }

    Hash128 value() const { return hash_.digest(); }

  private:
    StreamHash hash_;
};

Result<void> digest_document(NodeStore& bank, const DocumentRecord& document, Digest& digest) {
    digest.add(document.id.value);
    digest.add(document.source_name);
    digest.add(document.token_count);
    digest.add(document.byte_count);
    MC_ASSIGN(const auto tokens, bank.read_tokens(document.id, {0, document.token_count}));
    digest.add(tokens.data(), tokens.size());
    for (Level level(1); level <= top_level(document.token_count);
         level = Level(static_cast<std::uint8_t>(level.value + 1)))
        for (std::uint64_t parent = 0;
             parent * kBlockSize < node_count(document.token_count, level); ++parent) {
            MC_ASSIGN(const auto group, bank.find_gists(document.id, level, NodeIndex(parent)));
            digest.add(group ? group->gists.size() : 0);
            for (std::size_t i = 0; group && i < group->gists.size(); ++i) {
                digest.add(group->gists[i].kv.data(), group->gists[i].kv.size());
                digest.add(group->gists[i].index_vector.data(),
                           group->gists[i].index_vector.size());
                MC_ASSIGN(const NodeUse use,
                          bank.node_use({document.id, level, NodeIndex(parent * kBlockSize + i)}));
                digest.add(use.access_count);
            }
        }
    return {};
}

Result<Hash128> digest_store(Store& store) {
    Digest digest;
    MC_ASSIGN(const auto banks, store.list_banks());
    digest.add(banks.size());
    for (const BankRecord& record : banks) {
        digest.add(record.name);
        MC_ASSIGN(const auto bank, store.bank_store(record.name));
        MC_ASSIGN(const auto documents, bank->list_documents());
        digest.add(documents.size());
        for (const DocumentRecord& document : documents) {
            MC_TRY(digest_document(*bank, document, digest));
            MC_ASSIGN(const auto found, bank->find_document_by_source(document.source_name));
            digest.add(found ? found->id.value : 0);
        }
        MC_ASSIGN(const auto journal, bank->journal_after(CommitNumber(0)));
        for (const JournalEntry& entry : journal) digest.add(entry.tokens.end);
    }
    return digest.value();
}

// Opens, verifies and reads everything. In write mode also commits once more and checks again.
int try_store(const Path& directory, StoreMode mode, Hash128 expected) {
    auto opened = Store::open(test_options(directory, mode));
    if (!opened) return is_expected(opened.error().code()) ? kCleanError : kOddError;
    Store& store = **opened;
    std::uint64_t faults = 0;
    const auto summary = store.verify_records([&](const RecordFault&) { ++faults; });
    if (!summary) return is_expected(summary.error().code()) ? kCleanError : kOddError;
    const auto digest = digest_store(store);
    if (!digest) return is_expected(digest.error().code()) ? kCleanError : kOddError;
    if (*digest != expected) return faults > 0 ? kCleanError : kWrongAnswer;
    if (mode == StoreMode::kRead) return faults > 0 ? kCleanError : kRightAnswer;
    const auto bank = store.bank_store("first");
    if (!bank) return kCleanError;
    const auto document = (*bank)->find_document_by_source("grown");
    if (!document || !*document) return kCleanError;
    const auto committed = (*bank)->commit(next_batch(**document, 1500));
    if (!committed) return is_expected(committed.error().code()) ? kCleanError : kOddError;
    const auto again = store.verify_records([&](const RecordFault& fault) {
        std::fprintf(stderr, "after commit: %s\n", fault.error.to_string().c_str());
        ++faults;
    });
    return again && faults == 0 ? kRightAnswer : kCleanError;
}

class StoreDamageTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(run_in_child([&] { return fill(); }), 0);
        const std::string bytes = *read_file(original() / "data.mdb", 1 << 30);
        sound_.assign(bytes.begin(), bytes.end());
        std::filesystem::create_directories(copy());
        restore();
        const int code = run_in_child([&] {
            const auto store = open_or_die(test_options(copy(), StoreMode::kRead));
            const Hash128 digest = *digest_store(*store);
            return replace_file(scratch_.path() / "digest", std::as_bytes(std::span(&digest, 1)))
                       ? 0
                       : 1;
        });
        ASSERT_EQ(code, 0);
        const std::string digest = *read_file(scratch_.path() / "digest", sizeof expected_);
        std::memcpy(&expected_, digest.data(), sizeof expected_);
    }

    int fill() const {
        const auto store = open_or_die(test_options(original()));
        for (const char* name : {"first", "second"}) {
            if (!store->create_bank(name)) return 1;
            const auto bank = *store->bank_store(name);
            for (int i = 0; i < 12; ++i)
                if (!bank->create_document(named("d" + std::to_string(i)))) return 1;
            DocumentRecord document = *bank->create_document(named("grown"));
            for (const std::uint64_t count : {700u, 40u, 3000u, 31u, 1u, 2000u}) {
                const IngestBatch batch = next_batch(document, count);
                if (!bank->commit(batch)) return 1;
                document = batch.document;
            }
            std::vector<NodeId> nodes;
            for (std::uint64_t i = 0; i < 150; ++i)
                nodes.push_back({document.id, Level(1), NodeIndex(i)});
            if (!bank->record_use(nodes, 5)) return 1;
        }
        return 0;
    }

    static DocumentRecord named(const std::string& name) {
        DocumentRecord draft;
        draft.source_name = name;
        return draft;
    }

    Path original() const { return scratch_.path() / "original"; }

    Path copy() const { return scratch_.path() / "copy"; }

    void restore() { write(sound_); }

    void write(std::span<const char> content) {
        std::ofstream file(copy() / "data.mdb", std::ios::binary | std::ios::trunc);
        file.write(content.data(), static_cast<std::streamsize>(content.size()));
        ASSERT_TRUE(file.flush());
    }

    void expect_clean(StoreMode mode, const std::string& what) {
        const int outcome = run_in_child([&] { return try_store(copy(), mode, expected_); });
        EXPECT_TRUE(outcome == kRightAnswer || outcome == kCleanError)
            << what << ": outcome " << outcome;
        if (outcome == kCleanError) ++refused_;
    }

    void flip_and_try(std::uint64_t offset, unsigned char mask) {
        std::vector<char> damaged = sound_;
        damaged[offset] = static_cast<char>(damaged[offset] ^ mask);
        const std::string what = "byte " + std::to_string(offset) + " of " +
                                 std::to_string(sound_.size()) + " flipped by " +
                                 std::to_string(mask);
        for (const StoreMode mode : {StoreMode::kRead, StoreMode::kWrite}) {
            write(damaged);
            expect_clean(mode, what);
        }
    }

    ScratchDirectory scratch_;
    std::vector<char> sound_;
    Hash128 expected_;
    std::size_t refused_ = 0;
};

TEST_F(StoreDamageTest, TheSoundStoreGivesTheRightAnswer) {
    EXPECT_EQ(run_in_child([&] { return try_store(copy(), StoreMode::kRead, expected_); }),
              kRightAnswer);
    EXPECT_EQ(run_in_child([&] { return try_store(copy(), StoreMode::kWrite, expected_); }),
              kRightAnswer);
}

TEST_F(StoreDamageTest, AFlippedByteInAMetaPageNeverKillsAndNeverLies) {
    for (std::uint64_t page = 0; page < 2; ++page)
        for (std::uint64_t offset = 0; offset < 152; ++offset)
            flip_and_try(page * 4096 + offset, offset % 2 == 0 ? 0x01 : 0x80);
    EXPECT_GT(refused_, 50u);
}

// Directory pages are where LMDB would follow a wrong pointer: every byte of their headers and
// many of their entries.
TEST_F(StoreDamageTest, AFlippedByteInAPageHeaderNeverKillsAndNeverLies) {
    Rng rng(kSeed);
    for (std::uint64_t page = 2; page < sound_.size() / 4096; ++page) {
        const auto flags = static_cast<unsigned char>(sound_[page * 4096 + 10]);
        const bool is_directory = (flags & 3) != 0;
        if (!is_directory && rng.below(8) != 0) continue;
        for (int i = 0; i < (is_directory ? 10 : 1); ++i)
            flip_and_try(page * 4096 + rng.below(is_directory ? 64 : 16),
                         static_cast<unsigned char>(1u << rng.below(8)));
    }
    EXPECT_GT(refused_, 20u);
}

TEST_F(StoreDamageTest, AFlippedByteAnywhereNeverKillsAndNeverLies) {
    Rng rng(kSeed + 1);
    for (int i = 0; i < 250; ++i)
        flip_and_try(rng.below(sound_.size()), static_cast<unsigned char>(1 + rng.below(255)));
    EXPECT_GT(refused_, 50u);
}

TEST_F(StoreDamageTest, ACutFileIsCorruptWhereverItIsCut) {
    Rng rng(kSeed + 2);
    std::vector<std::uint64_t> sizes = {0, 1, 100, 4095, 4096, 4097, 8191, 8192, 8193};
    for (int i = 0; i < 40; ++i) sizes.push_back(rng.below(sound_.size()));
    sizes.push_back(sound_.size() - 1);
    sizes.push_back(sound_.size() - 4096);
    for (const std::uint64_t size : sizes) {
        write(std::span(sound_).first(size));
        for (const StoreMode mode :
             {StoreMode::kRead, StoreMode::kWrite, StoreMode::kWriteOrCreate})
            EXPECT_EQ(run_in_child([&] {
                          const auto opened = Store::open(test_options(copy(), mode));
                          return opened ? 1 : static_cast<int>(opened.error().code());
                      }),
                      static_cast<int>(ErrorCode::kCorruption))
                << "cut to " << size;
    }
}

TEST_F(StoreDamageTest, AFileThatIsNoDatabaseIsCorrupt) {
    Rng rng(kSeed + 3);
    std::vector<char> noise(50'000);
    for (char& c : noise) c = static_cast<char>(rng.below(256));
    write(noise);
    expect_clean(StoreMode::kWrite, "noise");
    std::fill(noise.begin(), noise.end(), '\0');
    write(noise);
    expect_clean(StoreMode::kRead, "zeros");
    EXPECT_EQ(refused_, 2u);
}

TEST_F(StoreDamageTest, ADamagedReaderTableDoesNoHarm) {
    restore();
    ASSERT_EQ(run_in_child([&] { return try_store(copy(), StoreMode::kRead, expected_); }),
              kRightAnswer);
    const std::string table = *read_file(copy() / "lock.mdb", 1 << 30);
    Rng rng(kSeed + 4);
    for (int i = 0; i < 40; ++i) {
        std::string damaged = table;
        const std::uint64_t offset = i < 20 ? rng.below(128) : rng.below(table.size());
        damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << rng.below(8)));
        if (i == 39) damaged.resize(10);
        restore();
        ASSERT_TRUE(replace_file(copy() / "lock.mdb", std::as_bytes(std::span(damaged))));
        expect_clean(StoreMode::kWrite, "lock.mdb byte " + std::to_string(offset));
    }
}

TEST_F(StoreDamageTest, AnErrorNamesStoreDatabaseAndKeyAndSaysWhatToDo) {
    // The token ids of the grown document, as they lie in its first chunk.
    DocumentRecord first;
    first.id = DocumentId(13);
    const auto tokens = next_batch(first, 20).tokens;
    std::string pattern;
    for (const TokenId token : tokens) {
        pattern.push_back(static_cast<char>(token & 0xff));
        pattern.push_back(static_cast<char>(token >> 8));
    }
    const std::string whole(sound_.begin(), sound_.end());
    std::vector<char> damaged = sound_;
    std::size_t found = 0;
    for (std::size_t at = whole.find(pattern); at != std::string::npos;
         at = whole.find(pattern, at + 1), ++found)
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_GT(found, 0u);
    write(damaged);
    const auto store = open_or_die(test_options(copy(), StoreMode::kRead));
    const auto bank = *store->bank_store("first");
    const auto read = bank->read_tokens(DocumentId(13), {0, 10});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::kCorruption);
    for (const std::string& part :
         {copy().string(), std::string("database tokens"), std::string("document 13, chunk 0"),
          std::string("checksum"), std::string("megacontext verify")})
        EXPECT_NE(read.error().message().find(part), std::string::npos) << read.error().message();
    std::vector<std::string> faults;
    ASSERT_TRUE(store->verify_records(
        [&](const RecordFault& fault) { faults.push_back(fault.database + " " + fault.key); }));
    EXPECT_NE(std::find(faults.begin(), faults.end(), "tokens document 13, chunk 0"), faults.end());
    // What is not damaged is still read.
    EXPECT_TRUE(bank->read_tokens(DocumentId(13), {1024, 2048}));
}

}  // namespace
}  // namespace mc::storage
