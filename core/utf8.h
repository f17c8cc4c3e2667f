// SPDX-License-Identifier: Apache-2.0
// UTF-8 well-formedness (Unicode 15, table 3-7): where bytes stop being text, and text made of
// bytes. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mc {

// Length of the well-formed character at the start of the bytes, 1…4; 0 when there is none.
std::size_t utf8_character_size(std::string_view bytes);

// Offset of the first byte that is not part of a well-formed character; nullopt when all are.
std::optional<std::size_t> find_invalid_utf8(std::string_view bytes);

// The bytes with U+FFFD in place of each byte that is not part of a well-formed character.
std::string to_valid_utf8(std::string_view bytes);

}  // namespace mc
