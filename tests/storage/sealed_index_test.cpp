// SPDX-License-Identifier: Apache-2.0
// SQLite on encrypted files: any workload gives what it gives on plain ones, readers see a writer's
// commits, and the files hold nothing in clear.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "storage/index/sealed_file.h"
#include "storage/index/sqlite_connection.h"
#include "tests/support/key_fixture.h"
#include "tests/support/passage_fixture.h"

namespace mc::storage {
namespace {

constexpr const char* kTold = "the tortoise Zebulon sleeps in the greenhouse";
constexpr const char* kTelling =
    "INSERT INTO t VALUES(1, 'the tortoise Zebulon sleeps in the greenhouse');";

std::unique_ptr<SqliteConnection> connect(const Path& path, SqliteAccess access,
                                          std::optional<IndexKeys> keys) {
    auto made = SqliteConnection::open(path, access, "test", std::move(keys));
    if (!made) {
        ADD_FAILURE() << made.error().to_string();
        std::abort();
    }
    return std::move(*made);
}

std::string all_rows(const SqliteConnection& connection, const char* sql) {
    auto statement = connection.prepare(sql);
    EXPECT_TRUE(statement) << statement.error().to_string();
    std::string rows;
    while (true) {
        const auto row = statement->step();
        EXPECT_TRUE(row) << row.error().to_string();
        if (!row || !*row) return rows;
        rows += std::to_string(statement->integer(0)) + "|" + std::string(statement->text(1)) + ";";
    }
}

constexpr const char* kWorkload[] = {
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);"
    "CREATE INDEX by_b ON t(b);"
    "CREATE VIRTUAL TABLE words USING fts5(text, content='', detail='none');",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    "INSERT INTO t SELECT i, printf('row %d %s', i * 7919 % 3001, hex(i * 104729)) FROM n;",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
    "INSERT INTO words(rowid, text) SELECT i, printf('word%d common', i % 17) FROM n;",
    "DELETE FROM t WHERE a % 3 = 0; UPDATE t SET b = b || zeroblob(200) WHERE a % 5 = 0;",
    "BEGIN; UPDATE t SET b = 'gone' WHERE a % 2 = 0; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; "
    "ROLLBACK;",
    "INSERT INTO words(words) VALUES('optimize'); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);",
    "INSERT INTO t SELECT a + 10000, b FROM t WHERE a < 900; PRAGMA wal_checkpoint(PASSIVE);",
    "INSERT INTO t VALUES(99999, 'the last'); PRAGMA wal_checkpoint(RESTART);",
    "UPDATE t SET b = upper(b) WHERE a < 50;"};

TEST(SealedIndexTest, AWorkloadOfSqlGivesWhatItGivesOnPlainFiles) {
    const ScratchDirectory scratch;
    const auto sealed_path = scratch.path() / "sealed";
    const auto plain_path = scratch.path() / "plain";
    auto sealed = connect(sealed_path, SqliteAccess::kWrite, index_keys_of('k'));
    auto plain = connect(plain_path, SqliteAccess::kWrite, std::nullopt);
    for (const char* step : kWorkload) {
        ASSERT_TRUE(plain->execute(step));
        const auto done = sealed->execute(step);
        ASSERT_TRUE(done) << step << ": " << done.error().to_string();
        for (const char* question :
             {"SELECT a, b FROM t ORDER BY a", "SELECT count(*), b FROM t GROUP BY b ORDER BY b",
              "SELECT rowid, '' FROM words WHERE words MATCH 'word3 OR word11' ORDER BY rowid",
              "SELECT 0, integrity_check FROM pragma_integrity_check"})
            EXPECT_EQ(all_rows(*sealed, question), all_rows(*plain, question)) << step;
        const auto reader = connect(sealed_path, SqliteAccess::kRead, index_keys_of('k'));
        EXPECT_EQ(all_rows(*reader, "SELECT a, b FROM t"), all_rows(*plain, "SELECT a, b FROM t"));
    }
    sealed = connect(sealed_path, SqliteAccess::kWrite, index_keys_of('k'));
    EXPECT_EQ(all_rows(*sealed, "SELECT a, b FROM t"), all_rows(*plain, "SELECT a, b FROM t"));
}

TEST(SealedIndexTest, AJournalInsteadOfALogWorksToo) {
    const ScratchDirectory scratch;
    const auto path = scratch.path() / "sealed";
    {
        const auto writer = connect(path, SqliteAccess::kWrite, index_keys_of('k'));
        ASSERT_TRUE(
            writer->execute("PRAGMA journal_mode=DELETE; CREATE TABLE t(a, b);"
                            "INSERT INTO t VALUES(1, 'one');"));
        ASSERT_TRUE(writer->execute("PRAGMA cache_size=1; BEGIN;"));
        ASSERT_TRUE(writer->execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
            "INSERT INTO t SELECT i, 'more' FROM n; UPDATE t SET b = 'two';"));
        ASSERT_TRUE(writer->execute("ROLLBACK;"));
        EXPECT_EQ(all_rows(*writer, "SELECT a, b FROM t"), "1|one;");
    }
    const auto reader = connect(path, SqliteAccess::kRead, index_keys_of('k'));
    EXPECT_EQ(all_rows(*reader, "SELECT a, b FROM t"), "1|one;");
}

TEST(SealedIndexTest, NothingOfItLiesInClearWhileItIsOpenOrAfterwards) {
    const ScratchDirectory scratch;
    std::string seen[2];
    for (const bool encrypted : {false, true}) {
        const Path folder = scratch.path() / (encrypted ? "sealed" : "plain");
        std::filesystem::create_directory(folder);
        {
            const auto writer =
                connect(folder / "x", SqliteAccess::kWrite,
                        encrypted ? std::optional(index_keys_of('k')) : std::nullopt);
            ASSERT_TRUE(writer->execute("CREATE TABLE t(a, b); PRAGMA wal_checkpoint;"));
            ASSERT_TRUE(writer->execute(kTelling));
            seen[encrypted ? 1 : 0] = bytes_below(folder);
        }
        seen[encrypted ? 1 : 0] += bytes_below(folder);
    }
    for (const std::string& told :
         {std::string(kTold), std::string("SQLite format 3"), std::string("CREATE TABLE")}) {
        EXPECT_NE(seen[0].find(told), std::string::npos) << told;
        EXPECT_EQ(seen[1].find(told), std::string::npos) << told;
    }
}

TEST(SealedIndexTest, AnotherKeyOrNoneIsAStaleIndexThatCanBeRebuilt) {
    const ScratchDirectory scratch;
    const auto options = [&](std::optional<IndexKeys> keys) {
        PassageIndexOptions made =
            passage_options(scratch.path() / "passages.sqlite", SqliteAccess::kWrite, 8);
        made.keys = std::move(keys);
        return made;
    };
    const auto passages = document_of(1, {kTold, "the bell was cast in Lisbon"});
    {
        const auto index = index_or_die(options(index_keys_of('k')));
        ASSERT_TRUE(index->add(passages, vectors_of(passages, 8)));
        ASSERT_TRUE(index->save(CommitNumber(1)));
    }
    EXPECT_EQ(open_sqlite_passage_index(options(index_keys_of('x'))).error().code(),
              ErrorCode::kStaleIndex);
    EXPECT_EQ(open_sqlite_passage_index(options(std::nullopt)).error().code(),
              ErrorCode::kStaleIndex);
    const auto index = index_or_die(options(index_keys_of('k')));
    EXPECT_EQ(passages_of(index->search_words("tortoise greenhouse", 5, {})).size(), 1U);
    ASSERT_TRUE(index->purge());
    EXPECT_EQ(passages_of(index->search_words("tortoise greenhouse", 5, {})).size(), 1U);
}

// SQLite's own file, asked by hand: any stretch that is written is read back, whatever stood there.
TEST(SealedFileTest, AnyStretchIsReadBackAsItWasWritten) {
    const ScratchDirectory scratch;
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    for (const FileLayout layout : {FileLayout::kEven, FileLayout::kLog}) {
        Rng rng(20261201);
        std::vector<std::byte> room(static_cast<std::size_t>(system->szOsFile));
        auto* const file = reinterpret_cast<sqlite3_file*>(room.data());
        const std::string path = (scratch.path() / "file").string();
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
        ASSERT_EQ(system->xOpen(system, path.c_str(), file, flags, &flags), SQLITE_OK);
        SealedFile sealed(index_keys_of('k').content, layout);
        std::vector<std::byte> expected;
        for (int step = 0; step < 2000; ++step) {
            // Without holes, which SQLite leaves only where it never reads.
            const std::size_t offset = rng.below(expected.size() + 1);
            std::vector<std::byte> text(1 + rng.below(9000));
            for (std::byte& byte : text) byte = static_cast<std::byte>(rng.below(256));
            ASSERT_EQ(sealed.write(*file, text.data(), static_cast<std::int64_t>(text.size()),
                                   static_cast<std::int64_t>(offset)),
                      SQLITE_OK);
            if (expected.size() < offset + text.size()) expected.resize(offset + text.size());
            std::ranges::copy(text, expected.begin() + static_cast<std::ptrdiff_t>(offset));
            if (expected.size() > 60'000) {
                expected.resize(rng.below(30'000));
                ASSERT_EQ(sealed.truncate(*file, static_cast<std::int64_t>(expected.size())),
                          SQLITE_OK);
            }
            std::int64_t size = 0;
            ASSERT_EQ(sealed.size(*file, size), SQLITE_OK);
            EXPECT_GE(size, static_cast<std::int64_t>(expected.size()));
            EXPECT_LT(size, static_cast<std::int64_t>(expected.size()) + 24);
            const std::size_t begin = rng.below(expected.size() + 1);
            std::vector<std::byte> read(rng.below(expected.size() - begin + 1));
            ASSERT_EQ(sealed.read(*file, read.data(), static_cast<std::int64_t>(read.size()),
                                  static_cast<std::int64_t>(begin)),
                      SQLITE_OK);
            ASSERT_TRUE(std::ranges::equal(read, std::span(expected).subspan(begin, read.size())))
                << step;
        }
        std::vector<std::byte> beyond(100, std::byte{1});
        EXPECT_EQ(sealed.read(*file, beyond.data(), 100, 200'000), SQLITE_IOERR_SHORT_READ);
        EXPECT_EQ(beyond, std::vector<std::byte>(100, std::byte{0}));
        file->pMethods->xClose(file);
        std::filesystem::remove(path);
    }
}

}  // namespace
}  // namespace mc::storage
