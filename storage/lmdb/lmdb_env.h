// SPDX-License-Identifier: Apache-2.0
// LMDB behind Result: one environment, its named databases, and transactions as scopes.
//
// lmdb_env.cpp and lmdb_transaction.cpp alone include lmdb.h. A read() or write() runs a function
// in one transaction; the map grows between transactions, never under one, which is what map_guard_
// is for. Keys and values handed to a function die with its transaction, those of scan() with their
// visit. In an encrypted store values are sealed and names in keys hidden here (record_seal.h), and
// nobody above knows. Threads: read() from any thread, but never inside another read() or write()
// of the same thread; write() from the engine thread. Errors: kOutOfSpace and kIo from write(),
// with the last commit intact; kCorruption for pages that LMDB refuses, and from find() for a
// record whose seal is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/mutex.h"
#include "core/result.h"
#include "storage/lmdb/keys.h"
#include "storage/lmdb/record_value.h"
#include "storage/lmdb/store_types.h"
#include "storage/seal/store_seal.h"

struct MDB_env;
struct MDB_txn;

namespace mc::storage {

// "store DIR, database tokens, document 7, chunk 3": how errors name a record.
std::string describe_record(const Path& directory, Database database, std::string_view key);

// kCorruption naming the record, what is wrong and what to do.
Error corrupt_record(const Path& directory, Database database, std::string_view key,
                     const std::string& what);

class LmdbEnv;

class ReadTransaction {
  public:
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;

    const Path& directory() const;

    Result<std::optional<RecordValue>> find(Database database, std::string_view key) const;

    // Visits the records at and after first, in order of key, until visit returns false. Of an
    // encrypted store, hidden names come in no order, and a record whose seal is broken is visited
    // without a value, under its key as it is stored. Requires: first ends before a name.
    using Visit = std::function<Result<bool>(std::string_view key, ByteView value)>;
    Result<void> scan(Database database, std::string_view first, const Visit& visit) const;

    // As scan(), as they are stored.
    Result<void> scan_stored(Database database, std::string_view first, const Visit& visit) const;

    // The greatest key below a bound.
    Result<std::optional<std::string>> last_key_below(Database database,
                                                      std::string_view bound) const;

    Result<DatabaseStatistics> statistics(Database database) const;

  protected:
    friend class LmdbEnv;

    ReadTransaction(const LmdbEnv& env, MDB_txn* txn) : env_(env), txn_(txn) {}

    Error error_of(int code, Database database, std::string_view key) const;
    Result<std::optional<ByteView>> find_stored(Database database,
                                                std::string_view stored_key) const;

    const LmdbEnv& env_;
    MDB_txn* txn_;
};

class WriteTransaction : public ReadTransaction {
  public:
    // Adds or replaces. After a failure the transaction cannot commit.
    Result<void> put(Database database, std::string_view key, ByteView value);
    // Requires: the key is there. After a failure the transaction cannot commit.
    Result<void> erase(Database database, std::string_view key);

  private:
    friend class LmdbEnv;
    using ReadTransaction::ReadTransaction;

    Result<void> put_stored(Database database, std::string_view stored_key, ByteView value);
    Result<void> erase_stored(Database database, std::string_view stored_key);
    // Whether LMDB may split pages for ascending keys (MDB_APPEND).
    bool is_beyond_last_key(Database database, std::string_view stored_key) const;
    Result<void> check_replaceable(Database database, std::string_view stored_key) const;

    int failure_ = 0;  // LMDB's code of the put that failed; decides between growing and giving up
};

enum class EnvMode { kRead, kWrite, kCreate };

// Where nobody has said how large a store is: the map grows to what it needs.
inline constexpr std::uint64_t kMapBytesInitial = 1ULL << 28;

class LmdbEnv {
  public:
    // kCreate makes the file and its databases in an empty directory; the others need both.
    // Errors: kCorruption when the pages cannot be trusted or a database is missing.
    static Result<std::unique_ptr<LmdbEnv>> open(const Path& directory, EnvMode mode,
                                                 std::uint64_t map_bytes_initial);
    ~LmdbEnv();
    LmdbEnv(const LmdbEnv&) = delete;
    LmdbEnv& operator=(const LmdbEnv&) = delete;

    const Path& directory() const { return directory_; }

    // From now on records are sealed with it; null: they are as they are. Borrowed.
    void use_seal(const StoreSeal* seal) { seal_ = seal; }

    Result<void> read(const std::function<Result<void>(const ReadTransaction&)>& body) const;

    // Commits when body succeeds. body runs again from its start, in a fresh transaction, when the
    // map had to grow, so it must derive everything from the transaction.
    Result<void> write(const std::function<Result<void>(WriteTransaction&)>& body);

    // Writes a copy of the newest commit, without free pages, to directory/data.mdb, its owner's
    // alone and synced. Requires: the directory holds none.
    Result<void> copy_compacted(const Path& directory) const;

    // Checks the headers of every value's own pages too; open() checks all others.
    Result<void> check_all_pages() const;

  private:
    friend class ReadTransaction;
    friend class WriteTransaction;

    LmdbEnv(Path directory, EnvMode mode) : directory_(std::move(directory)), mode_(mode) {}

    bool writable() const { return mode_ != EnvMode::kRead; }

    Result<void> open_environment(std::uint64_t map_bytes_initial);
    Result<void> open_databases();
    Result<void> check_pages(bool with_value_pages) const;
    Result<int> begin(bool writable, MDB_txn** txn) const MC_REQUIRES_SHARED(map_guard_);
    Result<void> double_map() const;
    int copy_to(int fd) const;
    void lengthen_file() const;
    Error error_of(int code, const std::string& action) const;

    const Path directory_;
    const EnvMode mode_;
    const StoreSeal* seal_ = nullptr;
    MDB_env* env_ = nullptr;
    unsigned handles_[kDatabaseCount] = {};
    // Shared while a transaction is open, unique while the map moves.
    mutable SharedMutex map_guard_;
};

}  // namespace mc::storage
