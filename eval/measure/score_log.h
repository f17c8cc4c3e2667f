// SPDX-License-Identifier: Apache-2.0
// tokens.jsonl: every likelihood of a run, one line per window and condition, append-only.
//
// The first line is a header with the suite's name as format, the run's configuration and its hash;
// a file is continued only by a run of the same configuration. Written by whole batches, so a kill
// leaves a prefix and at most one torn line, which open() drops. Numbers are kept to kNllDecimals
// decimals: what a reader gets back is exactly what was appended. Ownership: holds the file open
// and locked until destroyed. Threads: one. Errors: kInvalidInput for a file of another
// configuration, naming what differs; kCorruption for a line that cannot be read; kLocked while
// another process writes it; kIo, kOutOfSpace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/measure/line_log.h"

namespace mc::eval {

inline constexpr int kNllDecimals = 5;

// To kNllDecimals decimals; NaN stays NaN.
double rounded_nll(double nll);

// Numbers of a case as the log keeps them. The first token is not scored in any condition: in most
// of them nothing raw stands before it. Errors: kModel when the model scored another number of
// tokens, or one is not finite.
Result<std::vector<double>> logged_nll(std::span<const float> nll, std::size_t horizon);

struct ScoreLine {
    std::string document;
    std::size_t window = 0;
    std::uint64_t start = 0;  // token position of the window's first context token
    std::string condition;
    std::vector<double> nll;  // one per horizon token, rounded_nll(); NaN is null in the file
};

class ScoreLog {
  public:
    // Opens or starts the file. configuration is a JSON object that names its suite as
    // "task"; its hash decides whether a file that is there belongs to this run.
    static Result<std::unique_ptr<ScoreLog>> open(const Path& path,
                                                  const std::string& configuration);

    // The whole lines that stood in the file at open.
    const std::vector<ScoreLine>& lines() const { return lines_; }

    // Cuts the file behind the first count lines. Requires: count ≤ lines().size(), and nothing
    // appended yet.
    Result<void> keep(std::size_t count);

    Result<void> append(std::span<const ScoreLine> lines);

  private:
    explicit ScoreLog(std::unique_ptr<LineLog> log) : log_(std::move(log)) {}

    std::unique_ptr<LineLog> log_;
    std::vector<ScoreLine> lines_;
};

}  // namespace mc::eval
