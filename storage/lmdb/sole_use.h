// SPDX-License-Identifier: Apache-2.0
// While it lives, no process has a store's environment open, and none can open it: whoever tries
// waits. LMDB 0.9 locks the first byte of lock.mdb for as long as an environment is open (lmdb.c,
// mdb_env_excl_lock); this takes that lock alone.
//
// Requires: this process has no environment of the directory open from take() to the destructor,
// because the destructor would take that one's lock away. Errors: kLocked when another process has
// the store open; kIo.
#pragma once

#include <memory>

#include "core/files.h"
#include "core/result.h"

namespace mc::storage {

class SoleUse {
  public:
    static Result<std::unique_ptr<SoleUse>> take(const Path& directory);
    ~SoleUse();
    SoleUse(const SoleUse&) = delete;
    SoleUse& operator=(const SoleUse&) = delete;

  private:
    explicit SoleUse(int fd) : fd_(fd) {}

    const int fd_;
};

}  // namespace mc::storage
