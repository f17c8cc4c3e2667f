// SPDX-License-Identifier: Apache-2.0
// What the suite `macro` measured, set by set and row by row, and the files that say so. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/macros/macro_reading.h"
#include "eval/measure/bootstrap.h"

namespace mc::eval {

inline constexpr std::string_view kAllMacroSets = "all";

struct MacroCell {
    std::string set;  // kAllMacroSets: the readings of all
    std::string row;
    std::size_t readings = 0;
    // Over instructions; `within`: over the messages of each.
    Estimate gain_kept;  // of the full prompt's gain in nats; NaN where that gains nothing
    Estimate rouge_l;
    Estimate nll;
    double tokens_per_entry = 0;  // the instruction's tokens by its entries; 0 without entries
    double entries = 0;           // means from here on
    double prompt_ms = 0;         // median
    double gflops = 0;
    double bytes = 0;
};

// In the order of sets and rows as read; sets first, then all of them.
std::vector<MacroCell> measure_macros(std::span<const MacroReading> readings, std::uint64_t seed);

std::string macro_table(std::span<const MacroCell> cells, const std::string& command_line);
std::string macro_results(std::span<const MacroCell> cells, const std::string& configuration,
                          const std::string& command_line, std::uint64_t seed);

}  // namespace mc::eval
