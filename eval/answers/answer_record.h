// SPDX-License-Identifier: Apache-2.0
// One reading of one item, as the log keeps it. Pure. Value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "eval/answers/answer_ports.h"

namespace mc::eval {

struct AnswerRecord {
    std::string family;
    std::string task;
    std::uint64_t length = 0;  // of the memory: tokens, or documents (one-sentence); 0: none
    std::size_t item = 0;
    std::string row;
    bool fits = true;         // else nothing was read, and nothing below is set
    std::vector<double> nll;  // of each candidate
    std::size_t right = 0;
    std::string written;
    bool exact = false;      // what was written holds the right candidate
    bool abstained = false;  // the program says that the memory does not tell, and writes nothing
    std::uint64_t entries = 0;
    bool looked = false;  // the row looks for passages: held@1 and held@5 count
    bool held_at_1 = false;
    bool held_at_5 = false;
    double search_ms = 0;
    double prompt_ms = 0;
    double first_token_ms = 0;

    // The right candidate is the likeliest.
    bool is_right() const;
    // How much likelier it is than the best other one, in nats.
    double margin() const;
};

// A line of the log, and back. Errors: kCorruption.
std::string to_line(const AnswerRecord& record);
Result<AnswerRecord> parse_answer_record(std::string_view line);

// Whole words, whatever their case.
bool holds_text(std::string_view written, std::string_view value);

// Whether the count best spans hold the values of all facts.
bool hold_facts(std::span<const FoundSpan> found, std::size_t count,
                std::span<const PlacedFact> facts);

}  // namespace mc::eval
