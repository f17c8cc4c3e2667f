// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/lmdb_env.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "storage/lmdb/lmdb_pages.h"

namespace mc::storage {
namespace {

constexpr mdb_mode_t kFileMode = 0600;  // memories are their owner's
// Room for about 1,000 readers at once.
constexpr off_t kReaderTableBytes = 64 * 1024;
constexpr std::uint64_t kMapGranule = 1ULL << 20;
constexpr std::uint64_t kMapBytesMax = 1ULL << 46;  // below the 47 bits of a process
constexpr std::uint64_t kNearlyFullBytes = 1ULL << 20;
constexpr int kSnapshotTriesMax = 100;

// LMDB reports a short write as EIO; on a full disk, or at the limit of a file's size, that is what
// a write is.
bool has_no_room(const Path& directory) {
    struct statvfs disk {};

    if (::statvfs(directory.c_str(), &disk) == 0 &&
        std::uint64_t{disk.f_bavail} * disk.f_frsize < kNearlyFullBytes)
        return true;

    struct rlimit limit {};

    struct stat file {};

    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           ::stat((directory / "data.mdb").c_str(), &file) == 0 &&
           static_cast<std::uint64_t>(file.st_size) + kNearlyFullBytes >= limit.rlim_cur;
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

}  // namespace

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
            if (has_no_room(directory_))
                return {ErrorCode::kOutOfSpace,
                        action + ": no room on the disk; the last commit is intact"};
            return {ErrorCode::kIo, message};
        case EACCES:
        case EPERM:
            return {ErrorCode::kInvalidInput,
                    message + " (readers too need to write its lock.mdb, where they sign in)"};
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

// LMDB would make the file for all to read, and would not sync it.
Result<void> LmdbEnv::copy_compacted(const Path& directory) const {
    const Path path = directory / "data.mdb";
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    if (fd < 0) return fail(system_error(errno, "cannot create", path));
    const std::unique_ptr<const int, void (*)(const int*)> closed(
        &fd, [](const int* open_fd) { ::close(*open_fd); });
    int code = copy_to(fd);
    while (code == MDB_MAP_RESIZED) {  // another process grew the store beyond this map
        MC_TRY(double_map());
        code = copy_to(fd);
    }
    if (code == 0 && ::fsync(fd) != 0) code = errno;
    if (code == EIO && has_no_room(directory)) code = ENOSPC;
    if (code != 0) return fail(error_of(code, "cannot copy the store to " + directory.string()));
    return {};
}

int LmdbEnv::copy_to(int fd) const {
    const ReaderLock lock(map_guard_);
    return mdb_env_copyfd2(env_, fd, MDB_CP_COMPACT);
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
            const ReaderLock lock(map_guard_);
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
    const ReaderLock lock(map_guard_);
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
    const ScopedLock lock(map_guard_);
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
            const ReaderLock lock(map_guard_);
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
            const ReaderLock lock(map_guard_);
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
