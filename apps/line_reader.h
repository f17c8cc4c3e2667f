// SPDX-License-Identifier: Apache-2.0
// Lines that a person types: editing, history across runs, completion of dot-commands (libedit).
//
// libedit keeps its state in globals: at most one LineReader at a time. Threads: one.
// Errors: none; a history that cannot be read or written is left alone.
#pragma once

#include <optional>
#include <string>

#include "core/files.h"

namespace mc::apps {

class LineReader {
  public:
    LineReader();
    // Writes the history.
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    // One line without its end; nullopt at end of input. Ctrl-C gives an empty line.
    std::optional<std::string> read(const std::string& prompt);

  private:
    std::optional<Path> history_file_;
};

}  // namespace mc::apps
