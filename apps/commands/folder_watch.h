// SPDX-License-Identifier: Apache-2.0
// Which files of some folders are written, as it happens (inotify).
//
// A file counts once it was closed after writing, or moved to its place; those whose names begin
// with a dot do not. Folders that are made or moved there later are watched, too. Between open()
// and wait() nothing is missed: whoever lists the folders in between sees a file twice rather than
// not at all. Threads: one; the flag may be set from a signal handler. Errors: kInvalidInput for
// what is no folder or may not be entered; kIo where the system watches no more.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::apps {

class FolderWatch {
  public:
    static Result<FolderWatch> open(const std::vector<Path>& folders);
    FolderWatch(FolderWatch&& other) noexcept;
    ~FolderWatch();
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;
    FolderWatch& operator=(FolderWatch&&) = delete;

    // Waits until files were written and then none for a tenth of a second; gives those and what is
    // held, for which it waits a second at most. Paths begin as the folders do. Empty when
    // interrupted.
    Result<std::set<Path>> wait(const std::atomic<bool>& interrupted, std::set<Path> held);

  private:
    explicit FolderWatch(int descriptor) : descriptor_(descriptor) {}

    // The folder and those in it; notes: the files that it holds by now, null for nobody.
    Result<void> add(const Path& folder, std::set<Path>* notes);
    Result<void> read_events(std::set<Path>& written);

    int descriptor_;
    std::vector<Path> roots_;
    std::map<int, Path> folders_;  // by inotify's number
};

}  // namespace mc::apps
