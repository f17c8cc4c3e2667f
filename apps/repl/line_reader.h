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
#include <string_view>
#include <vector>

namespace mc::apps {

class LineReader {
  public:
    // history_name: of its file; empty: nothing is kept. commands: what Tab completes at the start
    // of a line.
    LineReader(std::string_view history_name, std::vector<std::string_view> commands);
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
