// SPDX-License-Identifier: Apache-2.0
// One line of progress on a terminal: stage, share done, tokens, tokens per second, time left.
//
// Silent unless its stream is a terminal, so pipes and logs stay clean. No colour, hence nothing
// for NO_COLOR to switch off. Draws at most ten times a second of the clock, so update() may be
// called for every block. Ownership: keeps references to the clock and the stream; both outlive the
// bar. Threads: one. Errors: none.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace mc::telemetry {

// What one drawing of the line says.
struct ProgressState {
    std::string_view stage;
    std::uint64_t tokens = 0;
    double elapsed_s = 0;
    std::optional<double> share_done;  // 0…1; none when the end is unknown (standard input)
};

// The line's text, at most `columns` characters, without the carriage return. Pure.
std::string progress_line(const ProgressState& state, unsigned columns);

class ProgressBar {
  public:
    // To standard error when that is a terminal, else silent.
    static ProgressBar for_stderr(const Clock& clock);

    // columns = 0 makes a silent bar.
    ProgressBar(std::ostream& stream, unsigned columns, const Clock& clock);

    // Leaves the terminal's line clean.
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    // Starts a stage ("reading", "encoding"); counts and rates start at zero again.
    void begin(std::string_view stage);

    // tokens: done in this stage so far.
    void update(std::uint64_t tokens, std::optional<double> share_done);

    // Wipes the line; the next update draws it anew. For code that prints between two updates.
    void clear();

  private:
    std::ostream& stream_;
    unsigned columns_;
    const Clock& clock_;
    std::string stage_;
    std::int64_t begin_ns_ = 0;
    std::optional<std::int64_t> drawn_ns_;  // none: the line is clean
};

}  // namespace mc::telemetry
