// SPDX-License-Identifier: Apache-2.0
// UTF-16 as files of some editors hold it, to UTF-8 and back without loss.
//
// With a byte-order mark its word is taken; without one, text is UTF-16 where its zero bytes all
// stand on one side, and white space and punctuation are as frequent as in text. A byte-order mark
// becomes U+FEFF, so that encode_utf16() gives the very bytes back. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mc::runtime {

enum class Utf16 { kLittleEndian, kBigEndian };

// "utf-16le", "utf-16be".
std::string_view utf16_name(Utf16 order);
std::optional<Utf16> utf16_from_name(std::string_view name);

// The byte order when the content is well-formed UTF-16 and no other text.
std::optional<Utf16> detect_utf16(std::string_view content);

// nullopt for bytes that are not whole, well-formed UTF-16.
std::optional<std::string> decode_utf16(std::string_view content, Utf16 order);

// Requires: valid UTF-8, beginning and ending between characters.
std::string encode_utf16(std::string_view utf8, Utf16 order);

}  // namespace mc::runtime
