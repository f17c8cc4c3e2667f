// SPDX-License-Identifier: Apache-2.0
// Lines that a person types: editing, history across runs, completion of dot-commands (libedit).
//
// Ctrl-C is a key while a line is edited, and a signal at any other time. Ownership: owns its
// editor and history. Threads: one. Errors: none; a history that cannot be read or written is left
// alone.
#pragma once

#include <memory>
#include <optional>
#include <string>

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
    struct Editor;
    std::unique_ptr<Editor> editor_;
};

}  // namespace mc::apps
