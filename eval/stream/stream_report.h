// SPDX-License-Identifier: Apache-2.0
// Readings of the suite `stream`, and the table that they make. Pure. Value types.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "eval/measure/bootstrap.h"
#include "eval/report/plots.h"

namespace mc::eval {

// Blocks of a reading: 512 tokens.
inline constexpr std::size_t kStreamChunkBlocks = 16;

// One row's reading of a chunk of one document. A block that the row does not read is NaN.
struct StreamReading {
    std::string document;
    std::string row;
    std::uint64_t budget = 0;   // entries
    std::uint64_t begin = 0;    // first token of the chunk
    std::uint64_t entries = 0;  // in the window, at its end
    std::uint64_t edits = 0;    // of the window, in the chunk
    std::vector<double> nll;    // nats a token, by block
    std::vector<double> ms;     // that a block took, reading and making room
};

// A line of stream.jsonl, and back. Errors of parse: kCorruption.
std::string to_line(const StreamReading& reading);
Result<StreamReading> parse_stream_reading(const std::string& line);

struct StreamCell {
    std::string row;
    std::uint64_t budget = 0;
    std::uint64_t blocks = 0;  // that count
    Estimate nll;              // nats a token
    Estimate less_recent;      // of the same blocks: this row less the sliding window
    Estimate less_whole;       // this row less the longest raw window
    double ms_p50_early = 0;   // of a block, in the first kStreamTimedTokens that count
    double ms_p99_early = 0;
    double ms_p50_late = 0;  // in the last so many
    double ms_p99_late = 0;
    double entries = 0;        // mean
    double edits_a_block = 0;  // mean
};

inline constexpr std::uint64_t kStreamTimedTokens = 8192;

// The rows that the others are compared with.
inline constexpr std::string_view kRecentRow = "recent";
inline constexpr std::string_view kWholeRow = "whole";

// Of chunks from token `from` on. By budget, rows in the order in which they were read.
std::vector<StreamCell> measure_stream(std::span<const StreamReading> readings, std::uint64_t from,
                                       std::uint64_t seed);

std::string stream_table(std::span<const StreamCell> cells, std::size_t document_count,
                         const std::string& command_line);
std::string stream_results(std::span<const StreamCell> cells, const std::string& configuration,
                           const std::string& command_line, std::uint64_t seed);
// Mean NLL of each row along the documents.
std::vector<Plot> stream_plots(std::span<const StreamReading> readings);

}  // namespace mc::eval
