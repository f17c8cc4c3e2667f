// SPDX-License-Identifier: Apache-2.0
// What an ingest is given, in memory and as it was at one moment: a file, a pipe, standard input.
//
// A file is read, not mapped: one that shrinks under a mapping ends the process. One that changes
// while it is read is refused, for what was read may be the beginning of one text and the end of
// another. Threads: free functions; `cancelled` may be set from a signal handler.
// Errors: kInvalidInput for what is missing, unreadable, empty, binary, not UTF-8 (unless
// allow_binary), larger than the limit, or changing; kCancelled, with nothing kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::runtime {

struct SourceLimits {
    bool allow_binary = false;  // NUL bytes and invalid UTF-8 are taken as they are
    std::uint64_t size_bytes_max = 0;
    const std::atomic<bool>* cancelled = nullptr;
};

// Called after each piece that is read, with the bytes so far; may be empty.
using ReadCallback = std::function<void(std::uint64_t)>;

// The whole text of a file, or of a stream that has a name (a pipe, /dev/stdin), checked.
Result<std::string> read_source(const Path& path, const SourceLimits& limits,
                                const ReadCallback& progress = {});

// The whole text of standard input, checked.
Result<std::string> read_standard_input(const SourceLimits& limits);

// Whether a path names a stream: what comes from it has no name of its own.
bool is_stream(const Path& path);

// The regular files under a folder in order of path; hidden names are skipped.
Result<std::vector<Path>> list_files(const Path& folder);

// Says why content cannot be ingested under these limits.
Result<void> check_source(std::string_view content, const std::string& name,
                          const SourceLimits& limits);

}  // namespace mc::runtime
