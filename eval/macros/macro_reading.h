// SPDX-License-Identifier: Apache-2.0
// Readings of the suite `macro`: one message behind one instruction, in every row. Value types;
// pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mc::eval {

inline constexpr std::string_view kFullRow = "full";
inline constexpr std::string_view kNoneRow = "none";

struct MacroRowReading {
    std::string row;
    std::uint64_t entries = 0;  // that stand for the instruction
    double nll = 0;             // nats a token of the full prompt's answer
    double rouge_l = 0;         // of what is written here, against that answer
    double prompt_ms = 0;       // to read the prompt
    double gflops = 0;          // of that, counted
    std::uint64_t bytes = 0;    // kept for the instruction between calls
    std::string written;
};

struct MacroReading {
    std::string set;
    std::size_t instruction = 0;
    std::uint64_t tokens = 0;  // of the instruction
    std::string message;
    std::uint64_t answer_tokens = 0;
    std::vector<MacroRowReading> rows;
};

// A line of readings.jsonl, and back. Errors: kInvalidInput.
std::string to_line(const MacroReading& reading);
Result<MacroReading> parse_macro_reading(const std::string& line);

}  // namespace mc::eval
