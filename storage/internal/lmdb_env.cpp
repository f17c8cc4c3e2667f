// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/lmdb_env.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/check.h"
#include "storage/internal/lmdb_pages.h"

namespace mc::storage {
namespace {

constexpr mdb_mode_t kFileMode = 0644;
// Room for about 1,000 readers at once.
constexpr off_t kReaderTableBytes = 64 * 1024;
constexpr std::uint64_t kMapGranule = 1ULL << 20;
constexpr std::uint64_t kMapBytesMax = 1ULL << 46;  // below the 47 bits of a process
constexpr std::uint64_t kNearlyFullBytes = 1ULL << 20;
constexpr int kSnapshotTriesMax = 100;
constexpr std::size_t kValuePageHeaderBytes = 16;

MDB_val to_val(std::string_view key) {
    return {key.size(), const_cast<char*>(key.data())};  // NOLINT: LMDB only reads keys
}

std::string_view to_text(const MDB_val& val) {
    return {static_cast<const char*>(val.mv_data), val.mv_size};
}

ByteView to_bytes(const MDB_val& val) {
    return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

// LMDB reports a short write as EIO; on a full disk that is what a write is.
bool disk_is_full(const Path& directory) {
    struct statvfs info {};

    return ::statvfs(directory.c_str(), &info) == 0 &&
           std::uint64_t{info.f_bavail} * info.f_frsize < kNearlyFullBytes;
}

// LMDB maps its reader table and would die of SIGBUS where the disk has no room to fill it in.
Result<void> reserve_reader_table(const Path& directory) {
    const Path path = directory / "lock.mdb";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (fd < 0) return {};  // a read-only medium, on which LMDB does without
    const int code = ::posix_fallocate(fd, 0, kReaderTableBytes);
    ::close(fd);
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
        return fail(ErrorCode::kOutOfSpace,
                    "no room for " + path.string() + ": " + std::strerror(code));
    return {};
}

class Cursor {
  public:
    ~Cursor() {
        if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    }

    Cursor() = default;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    int open(MDB_txn* txn, MDB_dbi handle) { return mdb_cursor_open(txn, handle, &cursor_); }

    int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
        return mdb_cursor_get(cursor_, &key, &value, op);
    }

  private:
    MDB_cursor* cursor_ = nullptr;
};

}  // namespace

std::string describe_record(const Path& directory, Database database, std::string_view key) {
    return "store " + directory.string() + ", database " + std::string(database_name(database)) +
           ", " + describe_key(database, key);
}

Error corrupt_record(const Path& directory, Database database, std::string_view key,
                     const std::string& what) {
    return Error(ErrorCode::kCorruption, describe_record(directory, database, key) + ": " + what +
                                             "; run `megacontext verify` on this store");
}

const Path& ReadTransaction::directory() const {
    return env_.directory();
}

Error ReadTransaction::error_of(int code, Database database, std::string_view key) const {
    return env_.error_of(code, describe_record(directory(), database, key));
}

Result<std::optional<ByteView>> ReadTransaction::find(Database database,
                                                      std::string_view key) const {
    MDB_val wanted = to_val(key);
    MDB_val value{};
    const int code =
        mdb_get(txn_, env_.handles_[static_cast<std::size_t>(database)], &wanted, &value);
    if (code == MDB_NOTFOUND) return std::optional<ByteView>();
    if (code != 0) return fail(error_of(code, database, key));
    return std::optional<ByteView>(to_bytes(value));
}

Result<void> ReadTransaction::scan(Database database, std::string_view first,
                                   const Visit& visit) const {
    Cursor cursor;
    MDB_val key = to_val(first);
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) code = cursor.get(key, value, first.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == 0) {
        MC_ASSIGN(const bool go_on, visit(to_text(key), to_bytes(value)));
        if (!go_on) return {};
        code = cursor.get(key, value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) return fail(error_of(code, database, first));
    return {};
}

Result<std::optional<std::string>> ReadTransaction::last_key_below(Database database,
                                                                   std::string_view bound) const {
    Cursor cursor;
    MDB_val key = to_val(bound);
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) {
        code = cursor.get(key, value, MDB_SET_RANGE);
        if (code == 0) {
            code = cursor.get(key, value, MDB_PREV);
        } else if (code == MDB_NOTFOUND) {
            code = cursor.get(key, value, MDB_LAST);
        }
    }
    if (code == MDB_NOTFOUND) return std::optional<std::string>();
    if (code != 0) return fail(error_of(code, database, bound));
    return std::optional<std::string>(std::string(to_text(key)));
}

Result<DatabaseStatistics> ReadTransaction::statistics(Database database) const {
    MDB_stat stat{};
    const int code = mdb_stat(txn_, env_.handles_[static_cast<std::size_t>(database)], &stat);
    if (code != 0) return fail(error_of(code, database, ""));
    return DatabaseStatistics{
        std::string(database_name(database)), stat.ms_entries,
        (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize};
}

bool WriteTransaction::is_beyond_last_key(Database database, std::string_view key) const {
    Cursor cursor;
    MDB_val last{};
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) code = cursor.get(last, value, MDB_LAST);
    return code == MDB_NOTFOUND || (code == 0 && to_text(last) < key);
}

// LMDB frees as many pages as a large value's own header says, which open() did not read.
Result<void> WriteTransaction::check_replaceable(Database database, std::string_view key) const {
    MC_ASSIGN(const auto old, find(database, key));
    MDB_stat stat{};
    mdb_stat(txn_, env_.handles_[static_cast<std::size_t>(database)], &stat);
    if (!old || old->size() < stat.ms_psize) return {};
    std::uint16_t flags = 0;
    std::uint32_t pages = 0;
    std::memcpy(&flags, old->data() - kValuePageHeaderBytes + 10, sizeof flags);
    std::memcpy(&pages, old->data() - kValuePageHeaderBytes + 12, sizeof pages);
    constexpr std::uint16_t kOverflowFlag = 4, kDirtyFlag = 0x10;
    const std::uint64_t expected = (kValuePageHeaderBytes - 1 + old->size()) / stat.ms_psize + 1;
    if ((flags & ~kDirtyFlag) != kOverflowFlag || pages != expected)
        return fail(corrupt_record(directory(), database, key, "its pages are damaged"));
    return {};
}

Result<void> WriteTransaction::put(Database database, std::string_view key, ByteView value) {
    MDB_val wanted = to_val(key);
    MDB_val data{value.size(), const_cast<std::byte*>(value.data())};  // NOLINT: LMDB only reads it
    unsigned flags = 0;
    if (is_beyond_last_key(database, key)) {
        flags = MDB_APPEND;
    } else {
        MC_TRY(check_replaceable(database, key));
    }
    const int code =
        mdb_put(txn_, env_.handles_[static_cast<std::size_t>(database)], &wanted, &data, flags);
    if (code == 0) return {};
    failure_ = code;
    return fail(error_of(code, database, key));
}

Error LmdbEnv::error_of(int code, const std::string& action) const {
    const std::string message = action + ": " + mdb_strerror(code);
    switch (code) {
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
        case MDB_BAD_TXN:
            return {ErrorCode::kCorruption, message + "; run `megacontext verify` on this store"};
        case MDB_VERSION_MISMATCH:
            return {ErrorCode::kFormatVersion, message};
        case MDB_READERS_FULL:
            return {ErrorCode::kIo, message + "; too many processes read this store at once"};
        case MDB_PANIC:
            return {ErrorCode::kIo, message + "; close the store and open it again"};
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case MDB_MAP_FULL:
            return {ErrorCode::kOutOfSpace, message + "; the last commit is intact"};
        case EIO:
            if (disk_is_full(directory_))
                return {ErrorCode::kOutOfSpace,
                        action + ": the disk is full; the last commit is intact"};
            return {ErrorCode::kIo, message};
        case EACCES:
        case EPERM:
            return {ErrorCode::kInvalidInput, message};
        default:
            return {ErrorCode::kIo, message};
    }
}

LmdbEnv::~LmdbEnv() {
    if (env_ != nullptr) mdb_env_close(env_);
}

Result<std::unique_ptr<LmdbEnv>> LmdbEnv::open(const Path& directory, EnvMode mode,
                                               std::uint64_t map_bytes_initial) {
    std::unique_ptr<LmdbEnv> env(new LmdbEnv(directory, mode));
    MC_TRY(env->open_environment(map_bytes_initial));
    MC_TRY(env->check_pages(false));
    MC_TRY(env->open_databases());
    return env;
}

Result<void> LmdbEnv::open_environment(std::uint64_t map_bytes_initial) {
    const Path data_path = directory_ / "data.mdb";
    std::uint64_t used_bytes = 0;
    if (mode_ != EnvMode::kCreate) {
        MC_ASSIGN(const auto snapshot, read_newest_snapshot(data_path));
        if (!snapshot)
            return fail(ErrorCode::kCorruption,
                        data_path.string() + " is empty; restore a copy of this store");
        used_bytes = snapshot->bytes();
    }
    MC_TRY(reserve_reader_table(directory_));
    const std::uint64_t wanted = std::max(map_bytes_initial, 2 * used_bytes);
    const std::uint64_t map_bytes = (wanted + kMapGranule - 1) / kMapGranule * kMapGranule;
    const std::string action = "cannot open store " + directory_.string();
    if (const int code = mdb_env_create(&env_); code != 0) return fail(error_of(code, action));
    int code = mdb_env_set_maxdbs(env_, kDatabaseCount);
    if (code == 0) code = mdb_env_set_mapsize(env_, map_bytes);
    const unsigned flags = MDB_NOTLS | (writable() ? 0U : unsigned{MDB_RDONLY});
    if (code == 0) code = mdb_env_open(env_, directory_.c_str(), flags, kFileMode);
    int dead = 0;
    if (code == 0) code = mdb_reader_check(env_, &dead);
    if (code != 0) return fail(error_of(code, action));
    return {};
}

Result<int> LmdbEnv::begin(bool writable, MDB_txn** txn) const {
    const int code = mdb_txn_begin(env_, nullptr, writable ? 0U : unsigned{MDB_RDONLY}, txn);
    if (code == 0 || code == MDB_MAP_RESIZED) return code;
    return fail(error_of(code, "store " + directory_.string()));
}

// Walks the snapshot that a read transaction pins, so that a live writer cannot change it.
Result<void> LmdbEnv::check_pages(bool with_value_pages) const {
    const Path data_path = directory_ / "data.mdb";
    for (int i = 0; i < kSnapshotTriesMax; ++i) {
        MDB_txn* txn = nullptr;
        {
            const std::shared_lock lock(map_guard_);
            MC_ASSIGN(const int code, begin(false, &txn));
            if (code == 0) {
                const std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> pin(txn, mdb_txn_abort);
                MC_ASSIGN(const auto snapshot, read_snapshot_of(data_path, mdb_txn_id(txn)));
                if (snapshot) return check_snapshot(data_path, *snapshot, with_value_pages);
                continue;  // two commits in between: take a newer snapshot
            }
        }
        MC_TRY(double_map());
    }
    return fail(ErrorCode::kIo, "store " + directory_.string() + ": no snapshot held still");
}

Result<void> LmdbEnv::check_all_pages() const {
    return check_pages(true);
}

Result<void> LmdbEnv::open_databases() {
    const std::string action = "cannot open store " + directory_.string();
    MDB_txn* txn = nullptr;
    MC_ASSIGN(int code, begin(writable(), &txn));
    if (code != 0) return fail(error_of(code, action));
    std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> guard(txn, mdb_txn_abort);
    const unsigned flags = mode_ == EnvMode::kCreate ? unsigned{MDB_CREATE} : 0U;
    for (std::size_t i = 0; i < kDatabaseCount; ++i) {
        const std::string name(database_name(static_cast<Database>(i)));
        code = mdb_dbi_open(txn, name.c_str(), flags, &handles_[i]);
        if (code == MDB_NOTFOUND)
            return fail(ErrorCode::kCorruption, "store " + directory_.string() +
                                                    " has no database " + name +
                                                    "; restore a copy of it");
        if (code != 0) return fail(error_of(code, action + ", database " + name));
    }
    code = mdb_txn_commit(guard.release());
    if (code != 0) return fail(error_of(code, action));
    return {};
}

Result<void> LmdbEnv::double_map() const {
    const std::unique_lock lock(map_guard_);
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    const std::uint64_t doubled = 2 * std::uint64_t{info.me_mapsize};
    if (doubled > kMapBytesMax)
        return fail(ErrorCode::kOutOfSpace, "store " + directory_.string() +
                                                ": the map cannot grow further; the last commit "
                                                "is intact");
    const int code = mdb_env_set_mapsize(env_, doubled);
    if (code != 0) return fail(error_of(code, "cannot grow the map of " + directory_.string()));
    return {};
}

Result<void> LmdbEnv::read(const std::function<Result<void>(const ReadTransaction&)>& body) const {
    while (true) {
        {
            const std::shared_lock lock(map_guard_);
            MDB_txn* txn = nullptr;
            MC_ASSIGN(const int code, begin(false, &txn));
            if (code == 0) {
                const std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> guard(txn, mdb_txn_abort);
                return body(ReadTransaction(*this, txn));
            }
        }
        MC_TRY(double_map());  // another process grew the store beyond this map
    }
}

Result<void> LmdbEnv::write(const std::function<Result<void>(WriteTransaction&)>& body) {
    MC_CHECK(writable(), "a store opened for reading cannot write");
    while (true) {
        {
            const std::shared_lock lock(map_guard_);
            MDB_txn* txn = nullptr;
            MC_ASSIGN(int code, begin(true, &txn));
            if (code == 0) {
                std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> guard(txn, mdb_txn_abort);
                WriteTransaction transaction(*this, txn);
                const Result<void> done = body(transaction);
                if (!done && transaction.failure_ != MDB_MAP_FULL) return done;
                code = done ? mdb_txn_commit(guard.release()) : MDB_MAP_FULL;
                if (code == 0) {
                    lengthen_file();
                    return {};
                }
                if (code != MDB_MAP_FULL)
                    return fail(error_of(code, "cannot commit to store " + directory_.string()));
            }
        }
        MC_TRY(double_map());
    }
}

// A free page at the very end may never have been written, and open() takes a short file for a
// truncated one. The commit stands whether or not this works.
void LmdbEnv::lengthen_file() const {
    MDB_envinfo info{};
    MDB_stat stat{};
    int fd = -1;
    mdb_env_info(env_, &info);
    mdb_env_stat(env_, &stat);
    mdb_env_get_fd(env_, &fd);

    struct stat file {};

    const auto needed = static_cast<off_t>((info.me_last_pgno + 1) * stat.ms_psize);
    if (::fstat(fd, &file) == 0 && file.st_size < needed)
        static_cast<void>(::ftruncate(fd, needed) == 0);
}

}  // namespace mc::storage
