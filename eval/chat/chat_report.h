// SPDX-License-Identifier: Apache-2.0
// Readings of the suite `chat`, and the table that they make. Pure. Value types.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/measure/bootstrap.h"

namespace mc::eval {

struct ChatReading {
    std::uint64_t distance = 0;
    std::string row;
    std::size_t fact = 0;
    std::string question;
    std::string value;  // that the answer must hold
    std::string written;
    bool exact = false;  // what was written holds the value
    bool shown = false;  // the prompt holds the fact
    std::uint64_t entries = 0;
    double prompt_ms = 0;  // to search and to make the prompt
};

// A line of readings.jsonl.
std::string to_line(const ChatReading& reading);

struct ChatCell {
    std::uint64_t distance = 0;
    std::string row;
    std::size_t readings = 0;
    Estimate exact;
    Estimate exact_less_window;  // of the same facts
    double shown = 0;            // share
    double entries = 0;          // mean
    double prompt_ms = 0;        // median
};

// In the order in which they were read.
std::vector<ChatCell> measure_chat(std::span<const ChatReading> readings, std::uint64_t seed);

// The row that the others are compared with.
inline constexpr const char* kChatWindowRow = "window";

std::string chat_table(std::span<const ChatCell> cells, const std::string& command_line);
std::string chat_results(std::span<const ChatCell> cells, const std::string& command_line,
                         std::uint64_t seed);

}  // namespace mc::eval
