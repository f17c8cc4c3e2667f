// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_metrics.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "eval/answers/families.h"

namespace mc::eval {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using ItemKey = std::pair<std::string, std::size_t>;  // family, item
using RowRecords = std::map<ItemKey, const AnswerRecord*>;
using TaskKey = std::pair<std::string, std::string>;  // family, task
using Tasks = std::map<TaskKey, TaskScores>;
using Score = double (*)(const AnswerRecord&);

double accuracy_of(const AnswerRecord& record) {
    return record.is_right() ? 1 : 0;
}

double exact_of(const AnswerRecord& record) {
    return record.exact ? 1 : 0;
}

// Whether kAllFamilies takes a family in: lengths of one-sentence count documents, and absent has
// nothing to be right about.
bool is_pooled(std::string_view family) {
    return family != kOneSentence && family != kAbsent;
}

double mean(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? kNone : sum / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
    if (values.empty()) return kNone;
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Tasks measure_tasks(std::span<const AnswerRecord> records) {
    const std::string fact = name_of(AnswerRow{RowKind::kFact, {}, 0, {}, 0});
    Tasks tasks;
    for (const AnswerRecord& record : records) {
        if (record.row != fact || !record.fits) continue;
        TaskScores& task = tasks[{record.family, record.task}];
        task.family = record.family;
        task.task = record.task;
        ++task.items;
        task.accuracy += accuracy_of(record);
        task.exact += exact_of(record);
    }
    for (auto& [key, task] : tasks) {
        task.accuracy /= static_cast<double>(task.items);
        task.exact /= static_cast<double>(task.items);
        task.counts_for_accuracy = task.accuracy >= kAbleAccuracy;
        task.counts_for_exact = task.exact >= kAbleExact;
    }
    return tasks;
}

// The readings of one cell by row, those without a memory among them.
class Cell {
  public:
    Cell(std::span<const AnswerRecord> records, const Tasks& tasks, std::string family,
         std::uint64_t length)
        : tasks_(tasks), family_(std::move(family)), length_(length) {
        for (const AnswerRecord& record : records)
            if (record.fits && belongs(record))
                rows_[record.row].emplace(ItemKey(record.family, record.item), &record);
    }

    CellScores measure(std::span<const AnswerRow> rows, std::uint64_t seed) const {
        CellScores scores;
        scores.family = family_;
        scores.length = length_;
        scores.chance = chance();
        scores.best_plain_accuracy = best_plain(rows, accuracy_of, true);
        scores.best_plain_exact = best_plain(rows, exact_of, false);
        for (const AnswerRow& row : rows) {
            const auto found = rows_.find(name_of(row));
            if (found == rows_.end()) continue;
            RowScores one = costs_of(row, found->second);
            one.accuracy =
                estimate(found->second, accuracy_of, true, scores.best_plain_accuracy, seed);
            one.exact = estimate(found->second, exact_of, false, scores.best_plain_exact, seed);
            std::vector<double> margins;
            for (const auto& [key, record] : counted(found->second, true))
                margins.push_back(record->margin());
            one.margin = mean(margins);
            scores.rows.push_back(std::move(one));
        }
        return scores;
    }

  private:
    bool belongs(const AnswerRecord& record) const {
        if (record.length != 0 && record.length != length_) return false;
        return family_ == kAllFamilies ? is_pooled(record.family) : record.family == family_;
    }

    // The items whose task counts for the score.
    RowRecords counted(const RowRecords& row, bool for_accuracy) const {
        RowRecords out;
        for (const auto& [key, record] : row) {
            const auto task = tasks_.find({record->family, record->task});
            const bool counts =
                task == tasks_.end() ||
                (for_accuracy ? task->second.counts_for_accuracy : task->second.counts_for_exact);
            if (counts) out.emplace(key, record);
        }
        return out;
    }

    double chance() const {
        std::map<ItemKey, double> items;
        for (const auto& [name, row] : rows_)
            for (const auto& [key, record] : row)
                items[key] = 1.0 / static_cast<double>(record->nll.size());
        std::vector<double> shares;
        for (const auto& [key, share] : items) shares.push_back(share);
        return mean(shares);
    }

    // The first of the plain rows with the highest mean.
    std::string best_plain(std::span<const AnswerRow> rows, Score score, bool for_accuracy) const {
        std::string best;
        double highest = -1;
        for (const AnswerRow& row : rows) {
            const auto found = rows_.find(name_of(row));
            if (row.kind != RowKind::kPassages || found == rows_.end()) continue;
            std::vector<double> values;
            for (const auto& [key, record] : counted(found->second, for_accuracy))
                values.push_back(score(*record));
            const double value = mean(values);
            if (!(value > highest)) continue;
            highest = value;
            best = name_of(row);
        }
        return best;
    }

    ScoreEstimate estimate(const RowRecords& row, Score score, bool for_accuracy,
                           const std::string& plain_name, std::uint64_t seed) const {
        const RowRecords items = counted(row, for_accuracy);
        const auto plain = rows_.find(plain_name);
        std::vector<double> values;
        std::vector<double> differences;
        for (const auto& [key, record] : items) {
            values.push_back(score(*record));
            if (plain == rows_.end()) continue;
            const auto pair = plain->second.find(key);
            if (pair != plain->second.end())
                differences.push_back(score(*record) - score(*pair->second));
        }
        ScoreEstimate out;
        out.items = values.size();
        out.value = mean_estimate(values, seed);
        out.less_plain = mean_estimate(differences, seed);
        return out;
    }

    static Estimate mean_estimate(const std::vector<double>& values, std::uint64_t seed) {
        if (values.empty()) return {};
        const auto measure = [&](std::span<const std::uint32_t> draws) {
            double sum = 0;
            for (std::size_t i = 0; i < values.size(); ++i) sum += draws[i] * values[i];
            return std::vector<double>{sum / static_cast<double>(values.size())};
        };
        return bootstrap(values.size(), values.size() > 1, seed, measure).front();
    }

    static RowScores costs_of(const AnswerRow& row, const RowRecords& records) {
        RowScores scores;
        scores.row = row;
        scores.readings = records.size();
        std::vector<double> entries, search, prompt, first, held_1, held_5, abstained;
        for (const auto& [key, record] : records) {
            entries.push_back(static_cast<double>(record->entries));
            abstained.push_back(record->abstained ? 1 : 0);
            search.push_back(record->search_ms);
            prompt.push_back(record->prompt_ms);
            first.push_back(record->first_token_ms);
            if (!record->looked) continue;
            held_1.push_back(record->held_at_1 ? 1 : 0);
            held_5.push_back(record->held_at_5 ? 1 : 0);
        }
        scores.entries = mean(entries);
        scores.abstained = mean(abstained);
        scores.search_ms = median(std::move(search));
        scores.prompt_ms = median(std::move(prompt));
        scores.first_token_ms = median(std::move(first));
        scores.recall_at_1 = mean_estimate(held_1, 1);
        scores.recall_at_5 = mean_estimate(held_5, 1);
        return scores;
    }

    const Tasks& tasks_;
    std::string family_;
    std::uint64_t length_;
    std::map<std::string, RowRecords> rows_;
};

// Families in the order of families.h, each with its lengths; then all of them at each length.
std::vector<std::pair<std::string, std::uint64_t>> cells_of(std::span<const AnswerRecord> records) {
    std::vector<std::pair<std::string, std::uint64_t>> cells;
    std::map<std::uint64_t, std::size_t> families_at;
    for (const std::string_view family : family_names()) {
        std::vector<std::uint64_t> lengths;
        for (const AnswerRecord& record : records)
            if (record.family == family && record.length > 0) lengths.push_back(record.length);
        std::ranges::sort(lengths);
        lengths.erase(std::ranges::unique(lengths).begin(), lengths.end());
        for (const std::uint64_t length : lengths) {
            cells.emplace_back(family, length);
            if (is_pooled(family)) ++families_at[length];
        }
    }
    for (const auto& [length, families] : families_at)
        if (families > 1) cells.emplace_back(kAllFamilies, length);
    return cells;
}

}  // namespace

AnswerFindings measure_answers(std::span<const AnswerRecord> records,
                               std::span<const AnswerRow> rows, std::uint64_t seed) {
    const Tasks tasks = measure_tasks(records);
    AnswerFindings findings;
    for (const auto& [key, task] : tasks) findings.tasks.push_back(task);
    for (const auto& [family, length] : cells_of(records))
        findings.cells.push_back(Cell(records, tasks, family, length).measure(rows, seed));
    return findings;
}

}  // namespace mc::eval
