// SPDX-License-Identifier: Apache-2.0
// What SQLite asks of the system, with the contents of files encrypted (SQLite's word: a VFS).
//
// It stands before SQLite's own for this system and differs in what lies in a database, its
// write-ahead log and its journal; locks, shared memory (which holds numbers of pages alone) and
// names of files are as they are. Other files it refuses to make: a connection keeps temporary
// things in memory. Ownership: outlives the connections that are opened with its name. Threads: as
// SQLite's own; each file one at a time. Errors: SQLite's codes.
#pragma once

#include <memory>

#include "storage/seal/store_seal.h"

namespace mc::storage {

class SealedVfs {
  public:
    explicit SealedVfs(IndexKeys keys);
    ~SealedVfs();
    SealedVfs(const SealedVfs&) = delete;
    SealedVfs& operator=(const SealedVfs&) = delete;

    // For sqlite3_open_v2().
    const char* name() const;

  private:
    struct Registered;
    std::unique_ptr<Registered> registered_;
};

}  // namespace mc::storage
