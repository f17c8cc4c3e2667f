// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sqlite_lexical_index.h"

#include <sqlite3.h>

#include <mutex>
#include <set>
#include <utility>

#include "core/check.h"
#include "storage/index/packed_node.h"

namespace mc::storage {
namespace {

constexpr int kBusyWaitMs = 10'000;  // for another process's checkpoint, which takes milliseconds
constexpr std::int64_t kFormat = 1;

constexpr const char* kPragmas =
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL;";
constexpr const char* kSchema =
    "CREATE TABLE state(format INTEGER, watermark INTEGER, size INTEGER);"
    "INSERT INTO state VALUES(1, 0, 0);"
    "CREATE VIRTUAL TABLE blocks USING fts5(text, content='', tokenize='porter unicode61');";

constexpr bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80;
}

class Statement {
  public:
    ~Statement() { sqlite3_finalize(statement_); }

    Statement() = default;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    int prepare(sqlite3* database, const char* sql) {
        return sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
    }

    void bind(int position, std::int64_t value) { sqlite3_bind_int64(statement_, position, value); }

    // The text must outlive the statement's use.
    int bind(int position, std::string_view text) {
        return sqlite3_bind_text64(statement_, position, text.data(), text.size(), SQLITE_STATIC,
                                   SQLITE_UTF8);
    }

    int step() { return sqlite3_step(statement_); }

    void reset() { sqlite3_reset(statement_); }

    std::int64_t integer(int column) { return sqlite3_column_int64(statement_, column); }

    double real(int column) { return sqlite3_column_double(statement_, column); }

  private:
    sqlite3_stmt* statement_ = nullptr;
};

class SqliteLexicalIndex final : public LexicalIndex {
  public:
    SqliteLexicalIndex(Path path, bool writable) : path_(std::move(path)), writable_(writable) {}

    ~SqliteLexicalIndex() override { close(); }

    Result<void> open();
    Result<void> add(std::span<const BlockText> blocks) override;
    Result<std::vector<SearchHit>> search(std::string_view question, std::size_t count,
                                          const SearchFilter& filter) const override;

    std::size_t size() const override {
        const std::lock_guard lock(mutex_);
        return size_;
    }

    CommitNumber watermark() const override {
        const std::lock_guard lock(mutex_);
        return watermark_;
    }

    Result<void> save(CommitNumber watermark) override;
    Result<void> clear() override;

  private:
    Error error_of(int code) const;
    Result<void> check(int code) const;
    Result<void> execute(const char* sql);
    Result<void> connect(const char* name, int flags);
    Result<void> connect_for_reading();
    Result<void> move_to_memory();
    Result<void> create_schema();
    Result<void> read_state();
    Result<void> begin_changes();
    Result<void> insert(std::span<const BlockText> blocks);
    Result<void> write_state(CommitNumber watermark);
    Result<void> undo(Error error);
    void close();

    const Path path_;
    const bool writable_;
    mutable std::mutex mutex_;  // guards everything below
    sqlite3* database_ = nullptr;
    bool in_memory_ = false;
    bool changing_ = false;  // a transaction is open
    std::size_t size_ = 0;
    CommitNumber watermark_;
};

void SqliteLexicalIndex::close() {
    sqlite3_close_v2(database_);
    database_ = nullptr;
}

Error SqliteLexicalIndex::error_of(int code) const {
    const std::string message =
        "lexical index " + path_.string() + ": " +
        (database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_));
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {ErrorCode::kOutOfSpace, message};
        case SQLITE_IOERR:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {ErrorCode::kIo, message};
        default:  // SQLITE_CORRUPT, SQLITE_NOTADB, a schema that is not ours, …
            return {ErrorCode::kStaleIndex, message + "; it can be rebuilt"};
    }
}

Result<void> SqliteLexicalIndex::check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return {};
    return fail(error_of(code));
}

Result<void> SqliteLexicalIndex::execute(const char* sql) {
    return check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

Result<void> SqliteLexicalIndex::connect(const char* name, int flags) {
    close();
    MC_TRY(check(sqlite3_open_v2(name, &database_, flags | SQLITE_OPEN_URI, nullptr)));
    sqlite3_busy_timeout(database_, kBusyWaitMs);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return execute(kPragmas);
}

// On a medium where no log can be made, and none is there, the file cannot be changing.
Result<void> SqliteLexicalIndex::connect_for_reading() {
    MC_TRY(connect(path_.c_str(), SQLITE_OPEN_READONLY));
    Statement probe;
    if (probe.prepare(database_, "SELECT count(*) FROM sqlite_schema") == SQLITE_OK ||
        sqlite3_errcode(database_) != SQLITE_CANTOPEN)
        return {};
    std::error_code ignored;
    if (std::filesystem::exists(path_.string() + "-wal", ignored)) return {};
    std::string uri = "file:";
    for (const char c : path_.string())
        uri += c == '?' ? "%3f" : c == '#' ? "%23" : c == '%' ? "%25" : std::string(1, c);
    return connect((uri + "?immutable=1").c_str(), SQLITE_OPEN_READONLY);
}

Result<void> SqliteLexicalIndex::open() {
    std::error_code ignored;
    const bool exists = std::filesystem::exists(path_, ignored);
    in_memory_ = !exists && !writable_;
    constexpr int kWriteFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (in_memory_) {
        MC_TRY(connect(":memory:", kWriteFlags));
    } else if (!writable_) {
        MC_TRY(connect_for_reading());
    } else {
        MC_TRY(connect(path_.c_str(), kWriteFlags));
        MC_TRY(execute("PRAGMA journal_mode=WAL;"));
    }
    if (!exists) MC_TRY(create_schema());
    return read_state();
}

Result<void> SqliteLexicalIndex::create_schema() {
    MC_TRY(execute("BEGIN IMMEDIATE;"));
    const Result<void> made = execute(kSchema);
    if (!made) return undo(made.error());
    return execute("COMMIT;");
}

Result<void> SqliteLexicalIndex::read_state() {
    Statement state;
    MC_TRY(check(state.prepare(database_, "SELECT format, watermark, size FROM state")));
    const int code = state.step();
    MC_TRY(check(code));
    if (code != SQLITE_ROW || state.integer(0) != kFormat || state.integer(1) < 0 ||
        state.integer(2) < 0)
        return fail(ErrorCode::kStaleIndex,
                    "lexical index " + path_.string() + " has another format; it can be rebuilt");
    watermark_ = CommitNumber(static_cast<std::uint64_t>(state.integer(1)));
    size_ = static_cast<std::size_t>(state.integer(2));
    // Fails on a table that is missing or not ours.
    Statement probe;
    return check(probe.prepare(database_, "SELECT rowid FROM blocks WHERE blocks MATCH ?"));
}

// What a reader adds, it adds to a copy.
Result<void> SqliteLexicalIndex::move_to_memory() {
    if (writable_ || in_memory_) return {};
    sqlite3* copy = nullptr;
    int code = sqlite3_open_v2(":memory:", &copy, SQLITE_OPEN_READWRITE, nullptr);
    if (code == SQLITE_OK) {
        sqlite3_backup* backup = sqlite3_backup_init(copy, "main", database_, "main");
        code = backup == nullptr ? sqlite3_errcode(copy) : sqlite3_backup_step(backup, -1);
        sqlite3_backup_finish(backup);
    }
    if (code != SQLITE_DONE) {
        sqlite3_close_v2(copy);
        return fail(error_of(code));
    }
    close();
    database_ = copy;
    in_memory_ = true;
    return {};
}

Result<void> SqliteLexicalIndex::begin_changes() {
    MC_TRY(move_to_memory());
    if (!changing_) MC_TRY(execute("BEGIN IMMEDIATE;"));
    changing_ = true;
    return {};
}

// Back to the last save, so that size and watermark say what is there.
Result<void> SqliteLexicalIndex::undo(Error error) {
    static_cast<void>(execute("ROLLBACK;"));
    changing_ = false;
    static_cast<void>(read_state());
    return fail(std::move(error));
}

Result<void> SqliteLexicalIndex::insert(std::span<const BlockText> blocks) {
    Statement insertion;
    MC_TRY(check(insertion.prepare(database_, "INSERT INTO blocks(rowid, text) VALUES(?, ?)")));
    for (const BlockText& block : blocks) {
        MC_ASSIGN(const std::int64_t row, pack_node(block.node));
        insertion.bind(1, row);
        MC_TRY(check(insertion.bind(2, block.text)));
        MC_TRY(check(insertion.step()));
        insertion.reset();
    }
    return {};
}

Result<void> SqliteLexicalIndex::add(std::span<const BlockText> blocks) {
    const std::lock_guard lock(mutex_);
    if (blocks.empty()) return {};
    MC_TRY(begin_changes());
    const Result<void> inserted = insert(blocks);
    if (!inserted) return undo(inserted.error());
    size_ += blocks.size();
    return {};
}

Result<std::vector<SearchHit>> SqliteLexicalIndex::search(std::string_view question,
                                                          std::size_t count,
                                                          const SearchFilter& filter) const {
    std::vector<SearchHit> hits;
    const std::string expression = match_expression(question);
    if (expression.empty() || count == 0) return hits;
    const NodeFilter accepted(filter);
    const std::lock_guard lock(mutex_);
    Statement query;
    MC_TRY(check(query.prepare(database_,
                               "SELECT rowid, rank FROM blocks WHERE blocks MATCH ? "
                               "ORDER BY rank, rowid")));
    MC_TRY(check(query.bind(1, expression)));
    while (hits.size() < count) {
        const int code = query.step();
        MC_TRY(check(code));
        if (code == SQLITE_DONE) break;
        const std::int64_t row = query.integer(0);
        // FTS5's rank is negative, the better the lower.
        if (accepted.accepts(row))
            hits.push_back({unpack_node(row), static_cast<float>(-query.real(1))});
    }
    return hits;
}

Result<void> SqliteLexicalIndex::write_state(CommitNumber watermark) {
    Statement update;
    MC_TRY(check(update.prepare(database_, "UPDATE state SET watermark = ?, size = ?")));
    update.bind(1, static_cast<std::int64_t>(watermark.value));
    update.bind(2, static_cast<std::int64_t>(size_));
    return check(update.step());
}

Result<void> SqliteLexicalIndex::save(CommitNumber watermark) {
    const std::lock_guard lock(mutex_);
    MC_TRY(begin_changes());
    Result<void> saved = write_state(watermark);
    if (saved) saved = execute("COMMIT;");
    if (!saved) return undo(saved.error());
    changing_ = false;
    watermark_ = watermark;
    return {};
}

Result<void> SqliteLexicalIndex::clear() {
    const std::lock_guard lock(mutex_);
    MC_TRY(begin_changes());
    size_ = 0;
    Result<void> cleared = execute("INSERT INTO blocks(blocks) VALUES('delete-all');");
    if (cleared) cleared = write_state(CommitNumber(0));
    if (cleared) cleared = execute("COMMIT;");
    if (!cleared) return undo(cleared.error());
    changing_ = false;
    watermark_ = CommitNumber(0);
    return {};
}

}  // namespace

std::string match_expression(std::string_view question) {
    std::string expression;
    std::set<std::string_view> words;
    std::size_t begin = 0;
    while (begin < question.size() && words.size() < kQuestionWordsMax) {
        if (!is_word_byte(question[begin])) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < question.size() && is_word_byte(question[end])) ++end;
        const std::string_view word = question.substr(begin, end - begin);
        if (words.insert(word).second)
            expression += (expression.empty() ? "\"" : " OR \"") + std::string(word) + "\"";
        begin = end;
    }
    return expression;
}

Result<std::unique_ptr<LexicalIndex>> open_sqlite_index(const Path& path, bool writable) {
    auto index = std::make_unique<SqliteLexicalIndex>(path, writable);
    MC_TRY(index->open());
    return std::unique_ptr<LexicalIndex>(std::move(index));
}

Result<void> remove_sqlite_index(const Path& path) {
    for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
        const Path file = path.string() + suffix;
        std::error_code error;
        std::filesystem::remove(file, error);
        if (error) return fail(system_error(error.value(), "cannot remove", file));
    }
    return {};
}

}  // namespace mc::storage
