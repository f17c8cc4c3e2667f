// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/names_in_text.h"

#include <algorithm>

namespace mc::eval {
namespace {

constexpr std::size_t kNameBytesMin = 4;
constexpr std::size_t kSmallWordBytesMin = 5;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_part(char c) {
    return is_upper(c) || is_lower(c) || is_digit(c);
}

// Part of a character beyond ASCII, an apostrophe or a hyphen: what touches it is no whole word.
bool is_sticky(char c) {
    return static_cast<unsigned char>(c) >= 0x80 || c == '\'' || c == '-';
}

bool is_small(std::string_view word) {
    return std::ranges::all_of(word, is_lower);
}

}  // namespace

std::vector<WordAt> words_in(std::string_view text) {
    std::vector<WordAt> out;
    bool starts = true;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (!is_part(c)) {
            if (c == '.' || c == '!' || c == '?' || c == '"' || c == ':' || is_sticky(c))
                starts = true;
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_part(text[end])) ++end;
        const bool sticks =
            (at > 0 && is_sticky(text[at - 1])) || (end < text.size() && is_sticky(text[end]));
        if (!sticks) out.push_back({text.substr(at, end - at), at, starts});
        starts = false;
        at = end;
    }
    return out;
}

bool is_number(std::string_view word) {
    return word.size() >= 2 && std::ranges::all_of(word, is_digit);
}

bool looks_like_name(std::string_view word) {
    return word.size() >= kNameBytesMin && is_upper(word[0]) && is_small(word.substr(1));
}

std::map<std::string, std::size_t, std::less<>> names_of(std::string_view text) {
    std::map<std::string, std::size_t, std::less<>> names;
    std::set<std::string, std::less<>> small;
    for (const WordAt& word : words_in(text)) {
        if (is_small(word.text)) small.emplace(word.text);
        if (looks_like_name(word.text) && !word.starts_sentence) ++names[std::string(word.text)];
    }
    std::erase_if(names, [&](const auto& name) {
        std::string lower = name.first;
        lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
        return small.contains(lower);
    });
    return names;
}

std::map<std::string, std::size_t, std::less<>> small_words_of(std::string_view text) {
    std::map<std::string, std::size_t, std::less<>> words;
    for (const WordAt& word : words_in(text))
        if (word.text.size() >= kSmallWordBytesMin && is_small(word.text))
            ++words[std::string(word.text)];
    return words;
}

}  // namespace mc::eval
