// SPDX-License-Identifier: Apache-2.0
// Full names in a text: two to four words with capitals, one after the other ("Cecil Penhaligon").
//
// By spelling alone, for scripts that have capitals. A word in front that only begins a sentence
// ("Yesterday Cecil Penhaligon") is taken for a part. Pure; linear time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mc::text {

inline constexpr std::size_t kNameWordsMax = 4;

// In the order of their appearance, as they stand there. Each spelling once.
std::vector<std::string> full_names(std::string_view text);

// The words that begin with a capital and have no other, but for the text's first word, which has
// one anyway. Each spelling once.
std::vector<std::string> capitalised_words(std::string_view text);

}  // namespace mc::text
