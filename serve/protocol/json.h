// SPDX-License-Identifier: Apache-2.0
// JSON from outside and to it: text that anybody may have written becomes a value or an error.
//
// Depth and size are bounded before the parser sees a byte, because what reads a value later
// recurses into it. Pure. Errors: kInvalidInput saying what is wrong and where.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mc::serve {

using Json = nlohmann::ordered_json;

// Deeper than any request of ours, far less than a stack holds.
inline constexpr std::size_t kJsonDepthMax = 32;

// One value with nothing but white space around it, of at most size_bytes_max bytes.
Result<Json> parse_json(std::string_view text, std::size_t size_bytes_max);

// On one line; bytes that are not UTF-8 are replaced.
std::string to_line(const Json& value);

}  // namespace mc::serve
