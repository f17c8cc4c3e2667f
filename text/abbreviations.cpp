// SPDX-License-Identifier: Apache-2.0
#include "text/abbreviations.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mc::text {
namespace {

constexpr std::size_t kWordBytesMax = 12;

constexpr std::array<std::string_view, 42> kNeverAtTheEnd = {
    "Mr",   "Mrs", "Ms",  "Dr",  "Prof", "St",  "Gen", "Col",    "Capt", "Cpt",    "Cmdr",
    "Lt",   "Sgt", "Cpl", "Maj", "Rev",  "Hon", "Gov", "Sen",    "Rep",  "Messrs", "Mme",
    "Mlle", "Mt",  "Ft",  "vs",  "cf",   "viz", "ca",  "approx", "e.g",  "i.e",    "E.g",
    "I.e",  "al",  "bzw", "z.B", "d.h",  "Hr",  "Fr",  "Sra",    "Rd"};

constexpr std::array<std::string_view, 26> kBeforeNumbers = {
    "No",  "no", "Nos", "nos", "Nr",  "nr",  "p",   "pp",  "vol", "Vol",  "ch",  "Ch",  "fig",
    "Fig", "eq", "Eq",  "sec", "Sec", "art", "Art", "ver", "Ver", "para", "Jan", "Feb", "Dec"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

// Capitals with stops between them: "U.S", "J.R.R".
bool is_initialism(std::string_view word) {
    for (std::size_t at = 0; at < word.size(); ++at)
        if (at % 2 == 0 ? !is_upper(word[at]) : word[at] != '.') return false;
    return word.size() % 2 == 1;
}

// Whether a capitalised word stands before this place: "Nathan " before "I".
bool follows_capital(std::string_view text, std::size_t begin) {
    if (begin < 2 || text[begin - 1] != ' ') return false;
    std::size_t at = begin - 1;
    while (at > 0 && is_letter(text[at - 1])) --at;
    return at < begin - 1 && is_upper(text[at]);
}

template <std::size_t kCount>
bool holds(const std::array<std::string_view, kCount>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool is_abbreviation(std::string_view text, bool digit_follows) {
    std::size_t begin = text.size();
    while (begin > 0 && (is_letter(text[begin - 1]) || text[begin - 1] == '.')) --begin;
    const std::string_view word = text.substr(begin);
    if (word.empty() || word.size() > kWordBytesMax) return false;
    if (begin > 0 && static_cast<unsigned char>(text[begin - 1]) >= 0x80) {
        // A quote or a dash may stand before a word, a letter makes it another word: both are
        // doubt.
        return holds(kNeverAtTheEnd, word) || (is_initialism(word) && word != "I");
    }
    if (holds(kNeverAtTheEnd, word)) return true;
    if (digit_follows && holds(kBeforeNumbers, word)) return true;
    const bool first = text.find_first_not_of(" \t\r\n(") == begin;
    if (word.size() == 1 && first) return true;
    return is_initialism(word) && (word != "I" || follows_capital(text, begin));
}

}  // namespace mc::text
