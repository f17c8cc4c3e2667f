// SPDX-License-Identifier: Apache-2.0
// Laws of the suite's numbers, on readings made up by hand.
#include "eval/answers/answer_metrics.h"

#include <gtest/gtest.h>

#include "eval/answers/families.h"

namespace mc::eval {
namespace {

const AnswerRow kFact{RowKind::kFact, {}, 0, {}, 0};
const AnswerRow kPlain{RowKind::kPassages, "sentences/bm25", 1, {}, 0};
const AnswerRow kOtherPlain{RowKind::kPassages, "sentences/bm25", 5, {}, 0};
const AnswerRow kWindow{RowKind::kWindow, {}, 0, "hybrid", 128};
const std::vector kRows{kFact, kPlain, kOtherPlain, kWindow};

AnswerRecord reading(const AnswerRow& row, std::size_t item, bool right, bool exact,
                     const std::string& task = "home") {
    AnswerRecord record;
    record.family = "single-fact";
    record.task = task;
    record.length = row.is_memoryless() ? 0 : 1000;
    record.item = item;
    record.row = name_of(row);
    record.nll = {right ? 1.0 : 3.0, 2, 2.5, 4};
    record.right = 0;
    record.exact = exact;
    record.entries = 10 * item;
    return record;
}

const RowScores& scores_of(const AnswerFindings& findings, std::size_t cell, const AnswerRow& row) {
    for (const RowScores& scores : findings.cells.at(cell).rows)
        if (scores.row == row) return scores;
    MC_CHECK(false, "the row is there");
}

TEST(AnswerMetrics, MeansArePairedAgainstTheBestPlainRow) {
    std::vector<AnswerRecord> records;
    for (std::size_t item = 0; item < 8; ++item) {
        records.push_back(reading(kFact, item, true, true));
        records.push_back(reading(kPlain, item, item < 2, false));
        records.push_back(reading(kOtherPlain, item, item < 4, false));
        records.push_back(reading(kWindow, item, item < 6, item < 1));
    }
    const AnswerFindings findings = measure_answers(records, kRows, 1);
    ASSERT_EQ(findings.cells.size(), 1U);
    const CellScores& cell = findings.cells.front();
    EXPECT_EQ(cell.best_plain_accuracy, "sentences/bm25:5");
    EXPECT_DOUBLE_EQ(cell.chance, 0.25);
    const RowScores& window = scores_of(findings, 0, kWindow);
    EXPECT_DOUBLE_EQ(window.accuracy.value.value, 0.75);
    EXPECT_DOUBLE_EQ(window.accuracy.less_plain.value, 0.25);
    EXPECT_GE(window.accuracy.less_plain.low, 0.0);  // no item is worse
    EXPECT_DOUBLE_EQ(window.exact.value.value, 0.125);
    EXPECT_DOUBLE_EQ(window.margin, 0.75 * 1.0 - 0.25 * 1.0);
    EXPECT_DOUBLE_EQ(window.entries, 35);
    EXPECT_DOUBLE_EQ(scores_of(findings, 0, kOtherPlain).accuracy.less_plain.value, 0);
    // A row without a memory stands in every cell.
    EXPECT_DOUBLE_EQ(scores_of(findings, 0, kFact).accuracy.value.value, 1);
}

TEST(AnswerMetrics, TasksBeyondTheReaderAreReportedAndLeftOut) {
    std::vector<AnswerRecord> records;
    for (std::size_t item = 0; item < 4; ++item) {
        const bool easy = item < 2;
        const std::string task = easy ? "home" : "uuid";
        records.push_back(reading(kFact, item, easy, true, task));
        records.push_back(reading(kWindow, item, easy, easy, task));
    }
    const AnswerFindings findings = measure_answers(records, kRows, 1);
    const RowScores& window = scores_of(findings, 0, kWindow);
    EXPECT_EQ(window.accuracy.items, 2U);
    EXPECT_DOUBLE_EQ(window.accuracy.value.value, 1);
    EXPECT_EQ(window.exact.items, 4U);  // what it writes is right with the fact alone
    EXPECT_DOUBLE_EQ(window.exact.value.value, 0.5);
    ASSERT_EQ(findings.tasks.size(), 2U);
    EXPECT_EQ(findings.tasks[1].task, "uuid");
    EXPECT_FALSE(findings.tasks[1].counts_for_accuracy);
    EXPECT_TRUE(findings.tasks[1].counts_for_exact);
}

TEST(AnswerMetrics, RecallIsOfRowsThatLook) {
    std::vector<AnswerRecord> records;
    for (std::size_t item = 0; item < 4; ++item) {
        AnswerRecord record = reading(kWindow, item, true, true);
        record.looked = true;
        record.held_at_1 = item < 1;
        record.held_at_5 = item < 3;
        records.push_back(record);
        records.push_back(reading(kPlain, item, true, true));
    }
    const AnswerFindings findings = measure_answers(records, kRows, 1);
    EXPECT_DOUBLE_EQ(scores_of(findings, 0, kWindow).recall_at_1.value, 0.25);
    EXPECT_DOUBLE_EQ(scores_of(findings, 0, kWindow).recall_at_5.value, 0.75);
    EXPECT_TRUE(std::isnan(scores_of(findings, 0, kPlain).recall_at_1.value));
}

TEST(AnswerMetrics, WhatDoesNotFitIsNoReading) {
    AnswerRecord unread = reading(kWindow, 0, true, true);
    unread.fits = false;
    unread.nll.clear();
    // Of a question that no fact answers, the row of the fact alone.
    AnswerRecord without_fact = unread;
    without_fact.row = name_of(kFact);
    without_fact.length = 0;
    const std::vector records{unread, without_fact, reading(kPlain, 0, true, true)};
    const AnswerFindings findings = measure_answers(records, kRows, 1);
    EXPECT_TRUE(findings.tasks.empty());
    ASSERT_EQ(findings.cells.front().rows.size(), 1U);
    EXPECT_EQ(findings.cells.front().rows.front().row, kPlain);
}

TEST(AnswerMetrics, AllFamiliesOfALengthArePooledWithoutOneSentence) {
    std::vector<AnswerRecord> records;
    for (const std::string family : {"single-fact", "key-value-1", "one-sentence"}) {
        AnswerRecord record = reading(kWindow, 0, family == "single-fact", true);
        record.family = family;
        records.push_back(record);
    }
    const AnswerFindings findings = measure_answers(records, kRows, 1);
    ASSERT_EQ(findings.cells.size(), 4U);
    EXPECT_EQ(findings.cells.back().family, kAllFamilies);
    EXPECT_DOUBLE_EQ(findings.cells.back().rows.front().accuracy.value.value, 0.5);
}

}  // namespace
}  // namespace mc::eval
