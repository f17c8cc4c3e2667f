// SPDX-License-Identifier: Apache-2.0
// answers.jsonl: what was read so far, and what a run that goes on need not read again.
//
// Ownership: holds the file open and locked. Threads: one. Errors: those of LineLog; kCorruption
// for a line that cannot be read, with its number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/answers/answer_record.h"
#include "eval/measure/line_log.h"

namespace mc::eval {

class ReadingLog {
  public:
    static Result<std::unique_ptr<ReadingLog>> open(const Path& path,
                                                    const std::string& configuration);

    bool has(const std::string& family, std::uint64_t length, std::size_t item,
             const std::string& row) const {
        return done_.contains({family, length, item, row});
    }

    Result<void> append(const AnswerRecord& record);

    // With the numbers as the file has them, so that a run that goes on says what one without a
    // break says.
    std::span<const AnswerRecord> records() const { return records_; }

  private:
    explicit ReadingLog(std::unique_ptr<LineLog> log) : log_(std::move(log)) {}

    Result<void> take(const std::string& line);

    std::unique_ptr<LineLog> log_;
    std::vector<AnswerRecord> records_;
    std::set<std::tuple<std::string, std::uint64_t, std::size_t, std::string>> done_;
};

}  // namespace mc::eval
