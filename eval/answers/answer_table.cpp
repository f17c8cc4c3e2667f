// SPDX-License-Identifier: Apache-2.0
// table.md of the suite `answers`.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "eval/answers/answer_report.h"
#include "eval/answers/families.h"
#include "eval/report/record_json.h"

namespace mc::eval {
namespace {

using CellText = std::function<std::string(const RowScores&)>;

struct Section {
    std::string family;
    std::vector<const CellScores*> cells;  // by length
};

std::vector<Section> sections_of(const AnswerFindings& findings) {
    std::vector<Section> sections;
    for (const CellScores& cell : findings.cells) {
        if (sections.empty() || sections.back().family != cell.family)
            sections.push_back({cell.family, {}});
        sections.back().cells.push_back(&cell);
    }
    return sections;
}

const RowScores* find_row(const CellScores& cell, const std::string& name) {
    for (const RowScores& row : cell.rows)
        if (name_of(row.row) == name) return &row;
    return nullptr;
}

std::vector<std::string> row_names(const Section& section) {
    std::vector<std::string> names;
    for (const CellScores* cell : section.cells)
        for (const RowScores& row : cell->rows)
            if (std::ranges::find(names, name_of(row.row)) == names.end())
                names.push_back(name_of(row.row));
    return names;
}

// Rows down, lengths across; rows without a word in any cell are left out.
std::string grid(const Section& section, const std::string& corner, const CellText& text_of) {
    std::string out = "| " + corner + " |";
    std::string rule = "|---|";
    for (const CellScores* cell : section.cells) {
        out += " " + length_label(section.family, cell->length) + " |";
        rule += "---:|";
    }
    out += "\n" + rule + "\n";
    for (const std::string& name : row_names(section)) {
        std::string line = "| `" + name + "` |";
        bool says_something = false;
        for (const CellScores* cell : section.cells) {
            const RowScores* row = find_row(*cell, name);
            const std::string text = row != nullptr ? text_of(*row) : "";
            says_something = says_something || !text.empty();
            line += " " + (text.empty() ? "–" : text) + " |";
        }
        if (says_something) out += line + "\n";
    }
    return out + "\n";
}

std::string scores_text(const RowScores& row) {
    return number_text(row.accuracy.value.value, 2) + " · " +
           number_text(row.exact.value.value, 2) + " · " + number_text(row.margin, 1);
}

std::string differences_text(const RowScores& row) {
    if (row.row.kind == RowKind::kPassages || !std::isfinite(row.accuracy.less_plain.value))
        return "";
    return estimate_text(row.accuracy.less_plain, 2) + " · " +
           estimate_text(row.exact.less_plain, 2);
}

std::string recall_text(const RowScores& row) {
    const bool repeats = row.row.kind == RowKind::kPassages && row.row.count != kPassageCounts[0];
    if (repeats || !std::isfinite(row.recall_at_1.value)) return "";
    return number_text(row.recall_at_1.value, 2) + " · " + number_text(row.recall_at_5.value, 2);
}

std::string abstained_text(const RowScores& row) {
    return row.abstained > 0 ? number_text(row.abstained, 2) : "";
}

std::string cost_text(const RowScores& row) {
    return number_text(row.entries, 0) + " · " + number_text(row.search_ms, 0) + " · " +
           number_text(row.prompt_ms, 0) + " · " + number_text(row.first_token_ms, 0);
}

std::string section_text(const Section& section) {
    std::string out = "## " + section.family + "\n\n";
    const CellScores& first = *section.cells.front();
    std::size_t items = 0;
    std::size_t exact_items = 0;
    for (const RowScores& row : first.rows) {
        items = std::max(items, row.accuracy.items);
        exact_items = std::max(exact_items, row.exact.items);
    }
    out += "accuracy (" + std::to_string(items) + " items, chance " + number_text(first.chance, 2) +
           ") · exact (" + std::to_string(exact_items) + " items) · margin in nats:\n\n";
    out += grid(section, "row", scores_text);
    out += "Less the best plain row, accuracy · exact, with 95 % intervals:\n\n";
    out += grid(section, "row", differences_text);
    out += "Found, recall@1 · recall@5:\n\n" + grid(section, "row", recall_text);
    out += "Said that the memory does not tell, share of questions:\n\n" +
           grid(section, "row", abstained_text);
    return out + "Entries · search ms · prompt ms · ms to the first token:\n\n" +
           grid(section, "row", cost_text);
}

std::string tasks_text(const AnswerFindings& findings) {
    std::string out = "## Left out of means\n\n";
    bool any = false;
    for (const TaskScores& task : findings.tasks) {
        if (task.counts_for_accuracy && task.counts_for_exact) continue;
        any = true;
        out += "- " + task.family + ", " + task.task + " (" + std::to_string(task.items) +
               " items): with the facts alone accuracy " + number_text(task.accuracy, 2) +
               ", exact " + number_text(task.exact, 2) + "; left out of " +
               (task.counts_for_accuracy ? "exact"
                : task.counts_for_exact  ? "accuracy"
                                         : "both") +
               "\n";
    }
    if (!any) out += "Nothing.\n";
    for (const std::string& cell : findings.skipped)
        out += "- " + cell + ": the facts of a group take more than half of a memory\n";
    return out;
}

}  // namespace

std::string answers_table(const AnswerFindings& findings, const ScorerFacts& facts,
                          const AnswersOptions& options) {
    std::string out = "# answers\n\n" + facts.model_name + ", " + facts.device + "; encoder ";
    for (const EncoderInfo& encoder : facts.encoders) out += encoder.name;
    out += "; " + std::to_string(options.items) + " items of each family, seed " +
           std::to_string(options.seed) + ".\n\n";
    for (const Section& section : sections_of(findings)) out += section_text(section);
    return out + tasks_text(findings);
}

}  // namespace mc::eval
