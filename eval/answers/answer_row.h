// SPDX-License-Identifier: Apache-2.0
// What a reader may see besides the question: the rows of the suite `answers`. Value types.
//
// nothing · fact: the facts' sentences alone, a ceiling · raw: the whole memory, where it fits ·
// oracle: the blocks that hold the facts, as text · gists: the coarsest cover of the memory ·
// SOURCE:K: the K best passages of a source, as text · window:POLICY:BUDGET: the working context;
// window:passages+N:BUDGET: with as many as N background gists in front.
// Errors: kUsage, naming what there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mc::eval {

enum class RowKind { kNothing, kFact, kRaw, kOracle, kGists, kPassages, kWindow };

struct AnswerRow {
    RowKind kind = RowKind::kNothing;
    std::string source;            // kPassages: "sentences/bm25"
    std::size_t count = 0;         // kPassages
    std::string policy;            // kWindow
    std::uint64_t budget = 0;      // kWindow: entries
    std::uint64_t background = 0;  // kWindow, policy passages: most gists in front

    // Asks nothing of a memory: equal at every length.
    bool is_memoryless() const { return kind == RowKind::kNothing || kind == RowKind::kFact; }

    auto operator<=>(const AnswerRow&) const = default;
};

std::string name_of(const AnswerRow& row);

// Of a window: "passages", "passages+64".
std::string policy_label(const AnswerRow& row);

struct RowChoice {
    // Kinds by name; "plain" is all sources at kPassageCounts.
    std::vector<std::string> rows{"nothing", "fact", "raw", "oracle", "gists", "plain", "window"};
    std::vector<std::string> policies{"passages", "hybrid"};
    std::vector<std::uint64_t> budgets{128, 256, 512, 1024};
    std::vector<std::uint64_t> backgrounds{0};  // gists, of policy passages
};

inline constexpr std::size_t kPassageCounts[] = {1, 3, 5};

// sources: the names of the passage sources that there are. In the order of the table.
Result<std::vector<AnswerRow>> make_rows(const RowChoice& choice,
                                         std::span<const std::string_view> sources);

}  // namespace mc::eval
