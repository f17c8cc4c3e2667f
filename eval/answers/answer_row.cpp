// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_row.h"

#include <algorithm>
#include <array>

#include "core/check.h"

namespace mc::eval {
namespace {

constexpr std::array<std::string_view, 7> kKinds{"nothing", "fact",  "raw",   "oracle",
                                                 "gists",   "plain", "window"};

// Only the policy passages has background; the others' covers are nothing else.
void add_windows(const RowChoice& choice, std::vector<AnswerRow>& rows) {
    for (const std::string& policy : choice.policies)
        for (const std::uint64_t background : choice.backgrounds)
            for (const std::uint64_t budget : choice.budgets)
                if (background == 0 || policy == "passages")
                    rows.push_back({RowKind::kWindow, {}, 0, policy, budget, background});
}

}  // namespace

std::string name_of(const AnswerRow& row) {
    switch (row.kind) {
        case RowKind::kPassages:
            return row.source + ":" + std::to_string(row.count);
        case RowKind::kWindow:
            return "window:" + policy_label(row) + ":" + std::to_string(row.budget);
        default:
            return std::string(kKinds.at(static_cast<std::size_t>(row.kind)));
    }
}

std::string policy_label(const AnswerRow& row) {
    return row.policy + (row.background > 0 ? "+" + std::to_string(row.background) : "");
}

Result<std::vector<AnswerRow>> make_rows(const RowChoice& choice,
                                         std::span<const std::string_view> sources) {
    std::vector<AnswerRow> rows;
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        if (std::ranges::find(choice.rows, kKinds[kind]) == choice.rows.end()) continue;
        AnswerRow row;
        row.kind = static_cast<RowKind>(kind);
        if (row.kind == RowKind::kPassages) {
            for (const std::string_view source : sources)
                for (const std::size_t count : kPassageCounts)
                    rows.push_back({row.kind, std::string(source), count, {}, 0, 0});
        } else if (row.kind == RowKind::kWindow) {
            add_windows(choice, rows);
        } else {
            rows.push_back(row);
        }
    }
    for (const std::string& name : choice.rows) {
        if (std::ranges::find(kKinds, name) != kKinds.end()) continue;
        std::string names;
        for (const std::string_view one : kKinds)
            names += (names.empty() ? "" : ", ") + std::string(one);
        return fail(ErrorCode::kUsage, "no row '" + name + "'; there are " + names);
    }
    return rows;
}

}  // namespace mc::eval
