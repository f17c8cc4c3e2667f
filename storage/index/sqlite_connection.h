// SPDX-License-Identifier: Apache-2.0
// One SQLite database and its statements: the fence that turns SQLite's codes into errors.
//
// Ownership: statements die before their connection. Threads: one at a time.
// Errors: kStaleIndex for a file that SQLite cannot make sense of, kOutOfSpace, kIo.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_seal.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mc::storage {

class SealedVfs;
class SqliteStatement;

enum class SqliteAccess {
    kWrite,  // made when absent; other processes go on reading (write-ahead log)
    kRead,   // an existing file; on a medium where no log can be made, as one that does not change
    kMemory,
};

class SqliteConnection {
  public:
    // what: begins every message ("passage index").
    // keys: of an encrypted file; one that is not encrypted with them is kStaleIndex.
    static Result<std::unique_ptr<SqliteConnection>> open(const Path& path, SqliteAccess access,
                                                          std::string what,
                                                          std::optional<IndexKeys> keys);
    ~SqliteConnection();
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    // A copy in memory, of what is committed and what is not.
    Result<std::unique_ptr<SqliteConnection>> copy_to_memory() const;

    Result<void> execute(const char* sql);
    Result<SqliteStatement> prepare(const char* sql) const;

    // Rows that the last statement changed.
    std::int64_t changes() const;

    Error error_of(int code) const;

  private:
    SqliteConnection(Path path, std::string what, std::optional<IndexKeys> keys);
    Result<void> connect(const char* name, int flags);
    Result<void> connect_for_reading();
    Result<void> check_writable() const;
    Result<void> check(int code) const;

    const Path path_;
    const std::string what_;
    const std::unique_ptr<SealedVfs> vfs_;  // null: the files are not encrypted
    sqlite3* database_ = nullptr;
};

class SqliteStatement {
  public:
    SqliteStatement(const SqliteConnection& connection, sqlite3_stmt* statement)
        : connection_(&connection), statement_(statement) {}

    ~SqliteStatement();

    SqliteStatement(SqliteStatement&& other) noexcept
        : connection_(other.connection_), statement_(other.statement_) {
        other.statement_ = nullptr;
    }

    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    // Positions count from 1. Texts and blobs must outlive the next reset().
    void bind(int position, std::int64_t value);
    void bind(int position, std::string_view text);
    void bind(int position, std::span<const std::byte> blob);
    void bind_null(int position);

    // True: a row is there.
    Result<bool> step();
    // For statements that give no row: runs, and is ready to run again.
    Result<void> run();
    void reset();

    std::int64_t integer(int column) const;
    // Valid until the next step or reset.
    std::string_view text(int column) const;
    std::span<const std::byte> blob(int column) const;
    bool is_null(int column) const;

  private:
    const SqliteConnection* connection_;
    sqlite3_stmt* statement_;
};

// Deletes a database and its log. Errors: kIo.
Result<void> remove_sqlite_files(const Path& path);

}  // namespace mc::storage
