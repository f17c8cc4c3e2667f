// SPDX-License-Identifier: Apache-2.0
// An append-only file of lines that a killed run is continued from.
//
// The first line is a header with the suite's name as format, the run's configuration and its hash;
// a file is continued only by a run of the same configuration. A kill leaves whole lines and at
// most one torn one, which open() drops. Ownership: holds the file open and locked until destroyed.
// Threads: one. Errors: kInvalidInput for a file of another configuration, naming what differs;
// kFormatVersion; kLocked while another process writes it; kIo, kOutOfSpace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::eval {

class LineLog {
  public:
    // Opens or starts the file. configuration is a JSON object that names its suite as "task"; its
    // hash decides whether a file that is there belongs to this run.
    static Result<std::unique_ptr<LineLog>> open(const Path& path,
                                                 const std::string& configuration);
    ~LineLog();
    LineLog(const LineLog&) = delete;
    LineLog& operator=(const LineLog&) = delete;

    // The whole lines behind the header that stood in the file at open, without their ends; a
    // second call gives none. Line i is number i + 2 of the file.
    std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }

    // Cuts the file behind the first count lines. Requires: it had so many at open, and nothing was
    // appended yet.
    Result<void> keep(std::size_t count);

    // All of them in one write. Requires: no line holds a line break.
    Result<void> append(const std::vector<std::string>& lines);

    const Path& path() const { return path_; }

  private:
    LineLog(int descriptor, Path path) : descriptor_(descriptor), path_(std::move(path)) {}

    Result<void> load(const std::string& content, const std::string& configuration);
    Result<void> write(const std::string& text);

    int descriptor_;
    Path path_;
    std::vector<std::string> lines_;
    std::vector<std::uint64_t> line_ends_;  // byte behind the header, then behind every line
};

}  // namespace mc::eval
