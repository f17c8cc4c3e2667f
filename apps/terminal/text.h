// SPDX-License-Identifier: Apache-2.0
// How values read on a terminal, and how what a user types becomes a value.
//
// Pure functions. What was ingested is data: printable() makes it safe to show, whatever bytes it
// holds. Errors: kUsage from the parse functions, naming the text and the form that is wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace mc::apps {

// "1,234,567".
std::string format_count(std::uint64_t count);
// "35.1 kB", "12.0 MB": powers of 1000.
std::string format_bytes(std::uint64_t bytes);
// "0.042 s", "12.3 s".
std::string format_seconds(double seconds);
// "2026-03-01 12:30:05Z".
std::string format_time(std::int64_t time_us);
// "%.4g"; "-" for NaN.
std::string format_number(double value);
// "256:288": half-open, as read --bytes takes it.
std::string format_range(std::uint64_t begin, std::uint64_t end);
// "raw", "L2".
std::string format_level(Level level);

// Text with every control character but newline and tab, and every invalid UTF-8 sequence, replaced
// by a visible stand-in.
std::string printable(std::string_view text);
// printable() on one line: newlines and tabs become spaces, runs of spaces one; cut to `columns`
// characters with "…".
std::string excerpt(std::string_view text, std::size_t columns);
// printable() wrapped at `columns`, every line led by `indent`.
std::string wrapped(std::string_view text, std::string_view indent, std::size_t columns);
// Characters (code points), not bytes.
std::size_t width_of(std::string_view utf8);
std::string trimmed(std::string_view text);
// True when `text` is only spaces or empty.
bool is_blank(std::string_view text);

// A range "A:B", "A:" or ":B" with ends left open.
struct OpenRange {
    std::uint64_t begin = 0;
    std::optional<std::uint64_t> end;
};

Result<OpenRange> parse_range(std::string_view text);
Result<std::uint64_t> parse_count(std::string_view text);
// "d7/L2/13".
Result<NodeId> parse_node(std::string_view text);

}  // namespace mc::apps
