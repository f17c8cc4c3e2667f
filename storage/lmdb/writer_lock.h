// SPDX-License-Identifier: Apache-2.0
// The one writer of a store: a file that a living process holds locked and that names its id.
//
// The lock ends with its process, however that ends. Ownership: held until destroyed. Threads: one.
// Errors: kLocked naming the holder; those of opening a file.
#pragma once

#include <memory>

#include "core/files.h"
#include "core/result.h"

namespace mc::storage {

class WriterLock {
  public:
    static Result<std::unique_ptr<WriterLock>> acquire(const Path& directory);
    ~WriterLock();
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

  private:
    explicit WriterLock(int fd) : fd_(fd) {}

    int fd_;
};

}  // namespace mc::storage
