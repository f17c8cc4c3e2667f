// SPDX-License-Identifier: Apache-2.0
#include "text/full_names.h"

#include <algorithm>

#include "text/characters.h"

namespace mc::text {
namespace {

// A word with one capital, at its begin; "USA" and "iPhone" are none.
struct Word {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool capitalised = false;
};

Word word_at(std::string_view text, std::size_t begin) {
    Word word{begin, begin, false};
    bool later_capital = false;
    while (word.end < text.size()) {
        const Character character = character_at(text, word.end);
        if (!is_letter_or_digit(character.code) && !is_mark(character.code)) break;
        const bool upper = sentence_class(character.code) == SentenceClass::kUpper;
        if (word.end == begin)
            word.capitalised = upper;
        else
            later_capital = later_capital || upper;
        word.end += character.size;
    }
    word.capitalised = word.capitalised && !later_capital;
    return word;
}

}  // namespace

std::vector<std::string> full_names(std::string_view text) {
    std::vector<std::string> names;
    std::size_t begin = 0;  // of the run of capitalised words
    std::size_t end = 0;
    std::size_t count = 0;
    const auto finish = [&] {
        const std::string_view name = text.substr(begin, end - begin);
        const bool fits = count >= 2 && count <= kNameWordsMax;
        if (fits && std::ranges::find(names, name) == names.end()) names.emplace_back(name);
        count = 0;
    };
    for (std::size_t at = 0; at < text.size();) {
        const Word word = word_at(text, at);
        if (word.end == at) {
            at += character_at(text, at).size;
            continue;
        }
        const bool goes_on = count > 0 && text.substr(end, at - end) == " ";
        if (!goes_on || !word.capitalised) finish();
        if (word.capitalised) {
            if (count++ == 0) begin = word.begin;
            end = word.end;
        }
        at = word.end;
    }
    finish();
    return names;
}

std::vector<std::string> capitalised_words(std::string_view text) {
    std::vector<std::string> words;
    bool first = true;
    for (std::size_t at = 0; at < text.size();) {
        const Word word = word_at(text, at);
        if (word.end == at) {
            at += character_at(text, at).size;
            continue;
        }
        const std::string_view spelling = text.substr(word.begin, word.end - word.begin);
        if (word.capitalised && !first && std::ranges::find(words, spelling) == words.end())
            words.emplace_back(spelling);
        first = false;
        at = word.end;
    }
    return words;
}

}  // namespace mc::text
