// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sqlite_connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "storage/index/sealed_vfs.h"

namespace mc::storage {
namespace {

constexpr int kBusyWaitMs = 10'000;  // for another process's checkpoint, which takes milliseconds

constexpr const char* kPragmas =
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA synchronous=NORMAL;";
// Nothing is spilled to other files.
constexpr const char* kSealedPragmas = "PRAGMA temp_store=MEMORY; PRAGMA page_size=4096;";

// Whether what SQLite calls an I/O error is one of room. It keeps errno of the call that failed,
// unless another came between; so a limit of file size, which writing meets at no other time,
// counts for a write that failed.
bool lacks_room(int code, int system_error) {
    if (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG) return true;
    rlimit limit{};
    return code == SQLITE_IOERR_WRITE && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY;
}

// SQLite would make a new file for all to read; its logs take over the file's mode. A file that is
// there is not touched: closing it here would drop the locks that SQLite has on it. What cannot be
// made here SQLite says better.
void make_private(const Path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
}

}  // namespace

SqliteConnection::SqliteConnection(Path path, std::string what, std::optional<IndexKeys> keys)
    : path_(std::move(path)),
      what_(std::move(what)),
      vfs_(keys ? std::make_unique<SealedVfs>(std::move(*keys)) : nullptr) {}

SqliteConnection::~SqliteConnection() {
    sqlite3_close_v2(database_);
}

Error SqliteConnection::error_of(int code) const {
    const std::string message = what_ + " " + path_.string() + ": " +
                                (database_ == nullptr || sqlite3_extended_errcode(database_) != code
                                     ? sqlite3_errstr(code)
                                     : sqlite3_errmsg(database_));
    const int system = database_ == nullptr ? 0 : sqlite3_system_errno(database_);
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {ErrorCode::kOutOfSpace, message};
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            if (lacks_room(code, system)) return {ErrorCode::kOutOfSpace, message};
            return {ErrorCode::kIo, message};
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

Result<void> SqliteConnection::check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return {};
    return fail(error_of(code));
}

Result<void> SqliteConnection::execute(const char* sql) {
    return check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

Result<void> SqliteConnection::connect(const char* name, int flags) {
    sqlite3_close_v2(std::exchange(database_, nullptr));
    const char* const vfs = vfs_ ? vfs_->name() : nullptr;
    MC_TRY(check(sqlite3_open_v2(name, &database_, flags | SQLITE_OPEN_URI, vfs)));
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, kBusyWaitMs);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    MC_TRY(execute(kPragmas));
    return vfs_ ? execute(kSealedPragmas) : Result<void>();
}

// SQLite opens what it may not write for reading, and a file whose header names a writer that it
// does not know.
Result<void> SqliteConnection::check_writable() const {
    if (sqlite3_db_readonly(database_, "main") == 0) return {};
    const bool writable = ::access(path_.c_str(), W_OK) == 0;
    return fail(error_of(writable ? SQLITE_CORRUPT : SQLITE_READONLY));
}

// On a medium where no log can be made, and none is there, the file cannot be changing.
Result<void> SqliteConnection::connect_for_reading() {
    Result<void> opened = connect(path_.c_str(), SQLITE_OPEN_READONLY);
    if (opened) opened = execute("SELECT count(*) FROM sqlite_schema;");
    if (opened || (sqlite3_errcode(database_) & 0xff) != SQLITE_CANTOPEN) return opened;
    std::error_code ignored;
    if (std::filesystem::exists(path_.string() + "-wal", ignored)) return opened;
    std::string uri = "file:";
    for (const char c : path_.string())
        uri += c == '?' ? "%3f" : c == '#' ? "%23" : c == '%' ? "%25" : std::string(1, c);
    return connect((uri + "?immutable=1").c_str(), SQLITE_OPEN_READONLY);
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const Path& path,
                                                                 SqliteAccess access,
                                                                 std::string what,
                                                                 std::optional<IndexKeys> keys) {
    std::unique_ptr<SqliteConnection> made(
        new SqliteConnection(path, std::move(what), std::move(keys)));
    constexpr int kWriteFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    switch (access) {
        case SqliteAccess::kWrite:
            make_private(path);
            MC_TRY(made->connect(path.c_str(), kWriteFlags));
            MC_TRY(made->execute("PRAGMA journal_mode=WAL;"));
            MC_TRY(made->check_writable());
            break;
        case SqliteAccess::kRead:
            MC_TRY(made->connect_for_reading());
            break;
        case SqliteAccess::kMemory:
            MC_TRY(made->connect(":memory:", kWriteFlags));
            break;
    }
    return made;
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::copy_to_memory() const {
    MC_ASSIGN(auto copy, open(path_, SqliteAccess::kMemory, what_, std::nullopt));
    sqlite3_backup* backup = sqlite3_backup_init(copy->database_, "main", database_, "main");
    if (backup == nullptr) return fail(copy->error_of(sqlite3_errcode(copy->database_)));
    const int code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE) return fail(error_of(code));
    return copy;
}

Result<SqliteStatement> SqliteConnection::prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    MC_TRY(check(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr)));
    return SqliteStatement(*this, statement);
}

std::int64_t SqliteConnection::changes() const {
    return sqlite3_changes64(database_);
}

SqliteStatement::~SqliteStatement() {
    sqlite3_finalize(statement_);
}

void SqliteStatement::bind(int position, std::int64_t value) {
    sqlite3_bind_int64(statement_, position, value);
}

void SqliteStatement::bind(int position, std::string_view text) {
    sqlite3_bind_text64(statement_, position, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::bind(int position, std::span<const std::byte> blob) {
    sqlite3_bind_blob64(statement_, position, blob.data(), blob.size(), SQLITE_STATIC);
}

void SqliteStatement::bind_null(int position) {
    sqlite3_bind_null(statement_, position);
}

Result<bool> SqliteStatement::step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(connection_->error_of(code));
}

Result<void> SqliteStatement::run() {
    const auto row = step();
    if (!row) return fail(row.error());
    reset();
    return {};
}

void SqliteStatement::reset() {
    sqlite3_reset(statement_);
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view SqliteStatement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> SqliteStatement::blob(int column) const {
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<void> remove_sqlite_files(const Path& path) {
    for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
        const Path file = path.string() + suffix;
        std::error_code error;
        std::filesystem::remove(file, error);
        if (error) return fail(system_error(error.value(), "cannot remove", file));
    }
    return {};
}

}  // namespace mc::storage
