// SPDX-License-Identifier: Apache-2.0
// Plots of the suite `answers`: scores over length and over budget.
#include <algorithm>
#include <map>
#include <string>

#include "eval/answers/answer_report.h"
#include "eval/report/curve_plot.h"

namespace mc::eval {
namespace {

using ScoreOf = ScoreEstimate RowScores::*;

struct Named {
    const char* name;
    ScoreOf score;
};

constexpr Named kScores[] = {{"accuracy", &RowScores::accuracy}, {"exact", &RowScores::exact}};

std::string axis_of(const Named& score, const std::string& family) {
    return std::string(score.name) + ", " + family;
}

// A curve for each row, controls dashed.
Plot by_length(const AnswerFindings& findings, const std::string& family, const Named& score) {
    std::vector<Curve> curves;
    for (const CellScores& cell : findings.cells) {
        if (cell.family != family) continue;
        for (const RowScores& row : cell.rows) {
            const std::string name = name_of(row.row);
            auto curve = std::ranges::find(curves, name, &Curve::name);
            if (curve == curves.end())
                curve =
                    curves.insert(curves.end(), Curve{name, {}, row.row.kind != RowKind::kWindow});
            curve->points.emplace_back(static_cast<double>(cell.length),
                                       (row.*score.score).value.value);
        }
    }
    return {family + "-" + score.name + "-by-length.svg",
            draw_curves(curves, {"length of the memory", axis_of(score, family), true})};
}

// A curve for each policy and length.
Plot by_budget(const AnswerFindings& findings, const std::string& family, const Named& score) {
    std::vector<Curve> curves;
    for (const CellScores& cell : findings.cells) {
        if (cell.family != family) continue;
        std::map<std::string, Curve> by_policy;
        for (const RowScores& row : cell.rows) {
            if (row.row.kind != RowKind::kWindow) continue;
            const std::string policy = policy_label(row.row);
            Curve& curve = by_policy[policy];
            curve.name = policy + ", " + length_label(family, cell.length);
            curve.points.emplace_back(static_cast<double>(row.row.budget),
                                      (row.*score.score).value.value);
        }
        for (auto& [policy, curve] : by_policy) curves.push_back(std::move(curve));
    }
    return {family + "-" + score.name + "-by-budget.svg",
            draw_curves(curves, {"budget, entries", axis_of(score, family), true})};
}

}  // namespace

std::vector<Plot> answers_plots(const AnswerFindings& findings) {
    std::vector<std::string> families;
    for (const CellScores& cell : findings.cells)
        if (families.empty() || families.back() != cell.family) families.push_back(cell.family);
    std::vector<Plot> plots;
    for (const std::string& family : families)
        for (const Named& score : kScores) {
            plots.push_back(by_length(findings, family, score));
            plots.push_back(by_budget(findings, family, score));
        }
    return plots;
}

}  // namespace mc::eval
