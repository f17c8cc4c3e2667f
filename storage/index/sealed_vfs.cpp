// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sealed_vfs.h"

#include <sqlite3.h>

#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "core/check.h"
#include "storage/index/sealed_file.h"

namespace mc::storage {
namespace {

// What SQLite holds of an open file; the system's own follows it in memory.
struct OpenFile {
    sqlite3_file base;
    SealedFile* content;
};

sqlite3_file* own(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<OpenFile*>(file) + 1);
}

SealedFile& content(sqlite3_file* file) {
    return *reinterpret_cast<OpenFile*>(file)->content;
}

const sqlite3_io_methods& methods(sqlite3_file* file) {
    return *own(file)->pMethods;
}

int close(sqlite3_file* file) {
    delete reinterpret_cast<OpenFile*>(file)->content;
    return methods(file).xClose(own(file));
}

int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    return content(file).read(*own(file), static_cast<std::byte*>(to), count, offset);
}

int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    return content(file).write(*own(file), static_cast<const std::byte*>(from), count, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return content(file).truncate(*own(file), size);
}

int sync(sqlite3_file* file, int flags) {
    return methods(file).xSync(own(file), flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    std::int64_t found = 0;
    const int code = content(file).size(*own(file), found);
    *size = found;
    return code;
}

int lock(sqlite3_file* file, int level) {
    return methods(file).xLock(own(file), level);
}

int unlock(sqlite3_file* file, int level) {
    return methods(file).xUnlock(own(file), level);
}

int check_reserved_lock(sqlite3_file* file, int* held) {
    return methods(file).xCheckReservedLock(own(file), held);
}

int control(sqlite3_file* file, int operation, void* argument) {
    return methods(file).xFileControl(own(file), operation, argument);
}

int sector_size(sqlite3_file* file) {
    return methods(file).xSectorSize(own(file));
}

// A write changes the whole of the blocks at its ends.
int characteristics(sqlite3_file* file) {
    return methods(file).xDeviceCharacteristics(own(file)) & ~SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_shared(sqlite3_file* file, int page, int bytes, int extend, void volatile** at) {
    return methods(file).xShmMap(own(file), page, bytes, extend, at);
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
    return methods(file).xShmLock(own(file), offset, count, flags);
}

void barrier(sqlite3_file* file) {
    methods(file).xShmBarrier(own(file));
}

int unmap_shared(sqlite3_file* file, int remove) {
    return methods(file).xShmUnmap(own(file), remove);
}

// Version 2: without the calls that map a file into memory.
constexpr sqlite3_io_methods kMethods{2,
                                      close,
                                      read,
                                      write,
                                      truncate,
                                      sync,
                                      file_size,
                                      lock,
                                      unlock,
                                      check_reserved_lock,
                                      control,
                                      sector_size,
                                      characteristics,
                                      map_shared,
                                      lock_shared,
                                      barrier,
                                      unmap_shared,
                                      nullptr,
                                      nullptr};

}  // namespace

struct SealedVfs::Registered {
    IndexKeys keys;
    sqlite3_vfs* system;
    std::string name;
    sqlite3_vfs table{};

    Registered(IndexKeys given, sqlite3_vfs* found) : keys(std::move(given)), system(found) {}

    static Registered& of(sqlite3_vfs* table) { return *static_cast<Registered*>(table->pAppData); }

    // Null: a kind of file that is not made here.
    std::unique_ptr<SealedFile> content_of(int flags) const {
        if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
            return std::make_unique<SealedFile>(keys.content, FileLayout::kEven);
        if ((flags & SQLITE_OPEN_WAL) != 0)
            return std::make_unique<SealedFile>(keys.log, FileLayout::kLog);
        if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0)
            return std::make_unique<SealedFile>(keys.journal, FileLayout::kEven);
        return nullptr;
    }

    static int open(sqlite3_vfs* table, const char* name, sqlite3_file* file, int flags,
                    int* flags_out) {
        file->pMethods = nullptr;  // nothing to close where this fails
        const Registered& self = of(table);
        auto content = self.content_of(flags);
        if (content == nullptr) return SQLITE_CANTOPEN;
        const int code = self.system->xOpen(self.system, name, own(file), flags, flags_out);
        if (code != SQLITE_OK) {
            if (own(file)->pMethods != nullptr) methods(file).xClose(own(file));
            return code;
        }
        new (file) OpenFile{{&kMethods}, content.release()};
        return SQLITE_OK;
    }

    static int remove(sqlite3_vfs* table, const char* name, int sync_folder) {
        sqlite3_vfs* const system = of(table).system;
        return system->xDelete(system, name, sync_folder);
    }

    static int access(sqlite3_vfs* table, const char* name, int flags, int* result) {
        sqlite3_vfs* const system = of(table).system;
        return system->xAccess(system, name, flags, result);
    }

    static int full_path(sqlite3_vfs* table, const char* name, int count, char* path) {
        sqlite3_vfs* const system = of(table).system;
        return system->xFullPathname(system, name, count, path);
    }

    static int randomness(sqlite3_vfs* table, int count, char* bytes) {
        sqlite3_vfs* const system = of(table).system;
        return system->xRandomness(system, count, bytes);
    }

    static int sleep(sqlite3_vfs* table, int microseconds) {
        sqlite3_vfs* const system = of(table).system;
        return system->xSleep(system, microseconds);
    }

    static int current_time(sqlite3_vfs* table, double* days) {
        sqlite3_vfs* const system = of(table).system;
        return system->xCurrentTime(system, days);
    }

    static int last_error(sqlite3_vfs* table, int count, char* text) {
        sqlite3_vfs* const system = of(table).system;
        return system->xGetLastError(system, count, text);
    }

    static int current_time_ms(sqlite3_vfs* table, sqlite3_int64* milliseconds) {
        sqlite3_vfs* const system = of(table).system;
        return system->xCurrentTimeInt64(system, milliseconds);
    }
};

SealedVfs::SealedVfs(IndexKeys keys) {
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    MC_CHECK(system != nullptr && system->iVersion >= 2, "SQLite knows this system");
    registered_ = std::make_unique<Registered>(std::move(keys), system);
    Registered& made = *registered_;
    made.name = "sealed-" + std::to_string(reinterpret_cast<std::uintptr_t>(&made));
    sqlite3_vfs& table = made.table;
    table.iVersion = 2;
    table.szOsFile = static_cast<int>(sizeof(OpenFile)) + system->szOsFile;
    table.mxPathname = system->mxPathname;
    table.zName = made.name.c_str();
    table.pAppData = &made;
    table.xOpen = Registered::open;
    table.xDelete = Registered::remove;
    table.xAccess = Registered::access;
    table.xFullPathname = Registered::full_path;
    table.xRandomness = Registered::randomness;
    table.xSleep = Registered::sleep;
    table.xCurrentTime = Registered::current_time;
    table.xGetLastError = Registered::last_error;
    table.xCurrentTimeInt64 = Registered::current_time_ms;
    MC_CHECK(sqlite3_vfs_register(&table, 0) == SQLITE_OK, "SQLite takes a VFS");
}

SealedVfs::~SealedVfs() {
    sqlite3_vfs_unregister(&registered_->table);
}

const char* SealedVfs::name() const {
    return registered_->name.c_str();
}

}  // namespace mc::storage
