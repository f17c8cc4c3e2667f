// SPDX-License-Identifier: Apache-2.0
// Full stops that end no sentence. Pure.
#pragma once

#include <string_view>

namespace mc::text {

// Whether the full stop after this text belongs to its last word: a title ("Dr"), an initial ("J",
// "U.S"; of "I" alone only after a name), a shortening that is never a sentence's end ("e.g"), or
// one of numbers ("No") before a digit; also a list marker that begins the text ("a"). A missed end
// joins two sentences, a false one cuts one, so doubt says yes.
bool is_abbreviation(std::string_view text, bool digit_follows);

}  // namespace mc::text
