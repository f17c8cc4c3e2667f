// SPDX-License-Identifier: Apache-2.0
// What a line looks like: an item of its own, running prose, or neither. Pure functions that look
// at a bounded number of bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace mc::text {

// An answer that may have to wait for more text.
enum class Verdict {
    kNo,
    kYes,
    kOpen,
};

// Bytes of a line that decide its shape.
inline constexpr std::size_t kShapeBytesMax = 200;

// The length of the first line without its end; npos when no line ends within bytes_max bytes.
std::size_t line_size(std::string_view text, std::size_t bytes_max);

// Whether a text begins with a list marker, a label and a colon, a time stamp, or a sign that
// opens a line of a quotation, a table or code.
Verdict begins_item(std::string_view text);

// Words between spaces, with little else.
bool looks_like_prose(std::string_view line);

// Characters, each as one column.
std::size_t columns(std::string_view line);

}  // namespace mc::text
