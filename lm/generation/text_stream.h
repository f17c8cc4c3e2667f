// SPDX-License-Identifier: Apache-2.0
// Bytes in, text out: whole UTF-8 characters, and nothing of a stop string.
//
// The text ends before the stop string that is complete first (of two that end at the same byte,
// the one that starts earlier), however the bytes are cut into pushes. Text that may be the start
// of a stop string is held back until that is decided. Ownership: copies the stop strings.
// Threads: one. Errors: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mc::lm {

class TextStream {
  public:
    // Requires: no stop string is empty.
    explicit TextStream(std::vector<std::string> stop_strings);

    // What became ready: whole characters only.
    std::string push(std::string_view bytes);

    // Whether a stop string was seen; push() then gives nothing more.
    bool stopped() const { return stopped_; }

    // What is still held back, as it is, when no more will come.
    std::string finish();

  private:
    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    std::optional<Match> find_stop() const;
    // Bytes at the end that may be the start of a stop string.
    std::size_t undecided_suffix() const;

    std::vector<std::string> stop_strings_;
    std::string held_;
    bool stopped_ = false;
};

}  // namespace mc::lm
