// SPDX-License-Identifier: Apache-2.0
// Characters of UTF-8 text and what Unicode says of them: one fence around ICU's tables.
//
// Bytes that are no well-formed character stand for U+FFFD, one each. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mc::text {

inline constexpr char32_t kReplacement = 0xFFFD;

struct Character {
    char32_t code = 0;
    std::size_t size = 0;  // bytes
};

// Requires: at < text.size().
Character character_at(std::string_view text, std::size_t at);

// The text without a character at its end that more bytes could complete.
std::string_view whole_characters(std::string_view text);

// Sentence_Break of UAX 29, as far as the rules tell classes apart.
enum class SentenceClass {
    kOther,
    kExtend,  // Extend and Format: part of what stands before
    kSpace,
    kNewline,  // CR, LF, Sep
    kLower,
    kUpper,
    kCaseless,  // OLetter
    kDigit,
    kFullStop,    // ATerm: may stand inside a sentence
    kTerminator,  // STerm
    kContinue,    // SContinue
    kClose,
};

SentenceClass sentence_class(char32_t code);

// Letters, digits and pictographs: what makes a stretch of text worth finding.
bool is_word_character(char32_t code);

// Letters, digits and marks, of which words consist.
bool is_letter_or_digit(char32_t code);
bool is_mark(char32_t code);
bool is_pictograph(char32_t code);
// Brackets and quotation marks that open, where their shape tells.
bool opens_quotation(char32_t code);

// Of a script that sets no space between words: Han, Kana, Hangul (whose particles stick to its
// words), Thai, Lao, Khmer, Myanmar.
bool is_unspaced(char32_t code);

// NFKC with case folded, and Latin, Greek and Cyrillic letters without their diacritics.
// Invalid bytes become U+FFFD.
std::string fold(std::string_view text);

void append_utf8(std::string& text, char32_t code);

}  // namespace mc::text
