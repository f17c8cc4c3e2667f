// SPDX-License-Identifier: Apache-2.0
// Proper names, numbers and telling words of a text, found by spelling alone. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mc::eval {

// A run of letters, or of digits. (Letters of ASCII: names with others are passed over.)
struct WordAt {
    std::string_view text;
    std::size_t begin = 0;         // byte
    bool starts_sentence = false;  // or follows a quotation mark
};

// Words in order; runs that touch a byte beyond ASCII are left out.
std::vector<WordAt> words_in(std::string_view text);

bool is_number(std::string_view word);
// "Ponderevo": a capital, then small letters, four bytes or more.
bool looks_like_name(std::string_view word);

// Words that look like names, how often each stands inside a sentence. Those that also occur in
// small letters are left out ("Then", "River").
std::map<std::string, std::size_t, std::less<>> names_of(std::string_view text);

// Words of five small letters or more and how often they occur.
std::map<std::string, std::size_t, std::less<>> small_words_of(std::string_view text);

}  // namespace mc::eval
