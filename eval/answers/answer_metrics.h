// SPDX-License-Identifier: Apache-2.0
// From readings to scores: means with intervals for each family, length and row, paired against the
// best plain passages. Pure: equal readings give equal numbers. Value types.
//
// A task that the reader cannot do with the facts alone says nothing about a memory: its items are
// left out of means. Two scores, two rules (kAbleAccuracy, kAbleExact).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/answers/answer_record.h"
#include "eval/answers/answer_row.h"
#include "eval/measure/bootstrap.h"

namespace mc::eval {

// Shares of a task's items that the row `fact` must get right, so that the task counts.
inline constexpr double kAbleAccuracy = 0.75;
inline constexpr double kAbleExact = 0.5;

inline constexpr const char* kAllFamilies = "all";

struct ScoreEstimate {
    Estimate value;
    Estimate less_plain;  // minus the best plain row's, of the same items
    std::size_t items = 0;
};

struct RowScores {
    AnswerRow row;
    std::size_t readings = 0;
    ScoreEstimate accuracy;  // the right candidate is the likeliest
    ScoreEstimate exact;     // what was written holds it
    double abstained = 0;    // share of readings
    double margin = 0;       // nats, mean over the items of accuracy
    Estimate recall_at_1;    // of items whose facts the best passage holds; undefined where a
    Estimate recall_at_5;    // row looks for nothing
    double entries = 0;      // means
    double search_ms = 0;    // medians
    double prompt_ms = 0;
    double first_token_ms = 0;
};

struct CellScores {
    std::string family;  // or kAllFamilies: the items of all but one-sentence and absent
    std::uint64_t length = 0;
    double chance = 0;  // of accuracy
    std::vector<RowScores> rows;
    std::string best_plain_accuracy;  // names of rows; empty without plain rows
    std::string best_plain_exact;
};

struct TaskScores {
    std::string family;
    std::string task;
    std::size_t items = 0;
    double accuracy = 0;  // with the facts alone
    double exact = 0;
    bool counts_for_accuracy = true;
    bool counts_for_exact = true;
};

struct AnswerFindings {
    std::vector<CellScores> cells;
    std::vector<TaskScores> tasks;     // empty without the row fact
    std::vector<std::string> skipped;  // cells whose facts take more than half of a memory
};

AnswerFindings measure_answers(std::span<const AnswerRecord> records,
                               std::span<const AnswerRow> rows, std::uint64_t seed);

}  // namespace mc::eval
