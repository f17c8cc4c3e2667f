// SPDX-License-Identifier: Apache-2.0
#include "text/characters.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/utf8.h"

namespace mc::text {
namespace {

constexpr char32_t kAsciiEnd = 0x80;

SentenceClass unicode_sentence_class(char32_t code) {
    switch (u_getIntPropertyValue(static_cast<UChar32>(code), UCHAR_SENTENCE_BREAK)) {
        case U_SB_ATERM:
            return SentenceClass::kFullStop;
        case U_SB_STERM:
            return SentenceClass::kTerminator;
        case U_SB_CLOSE:
            return SentenceClass::kClose;
        case U_SB_EXTEND:
        case U_SB_FORMAT:
            return SentenceClass::kExtend;
        case U_SB_LOWER:
            return SentenceClass::kLower;
        case U_SB_UPPER:
            return SentenceClass::kUpper;
        case U_SB_OLETTER:
            return SentenceClass::kCaseless;
        case U_SB_NUMERIC:
            return SentenceClass::kDigit;
        case U_SB_CR:
        case U_SB_LF:
        case U_SB_SEP:
            return SentenceClass::kNewline;
        case U_SB_SP:
            return SentenceClass::kSpace;
        case U_SB_SCONTINUE:
            return SentenceClass::kContinue;
        default:
            return SentenceClass::kOther;
    }
}

std::array<SentenceClass, kAsciiEnd> ascii_sentence_classes() {
    std::array<SentenceClass, kAsciiEnd> classes{};
    for (char32_t code = 0; code < kAsciiEnd; ++code) classes[code] = unicode_sentence_class(code);
    return classes;
}

UScriptCode script_of(char32_t code) {
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(static_cast<UChar32>(code), &status);
    return U_SUCCESS(status) ? script : USCRIPT_COMMON;
}

bool drops_diacritics(char32_t code) {
    const UScriptCode script = script_of(code);
    return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC;
}

// Letters whose stroke is no mark of its own in Unicode.
char32_t without_stroke(char32_t code) {
    switch (code) {
        case U'ø':
            return U'o';
        case U'đ':
            return U'd';
        case U'ł':
            return U'l';
        case U'ħ':
            return U'h';
        case U'ı':
            return U'i';
        default:
            return code;
    }
}

char32_t base_letter(const UNormalizer2& nfd, char32_t code) {
    std::array<UChar, 16> units{};
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t size =
        unorm2_getDecomposition(&nfd, static_cast<UChar32>(code), units.data(),
                                static_cast<std::int32_t>(units.size()), &status);
    if (U_FAILURE(status) || size <= 0) return without_stroke(code);
    UChar32 base = 0;
    U16_GET(units.data(), 0, 0, size, base);
    return without_stroke(static_cast<char32_t>(base));
}

std::vector<UChar> to_utf16(std::string_view text) {
    std::vector<UChar> units(text.size() + 1);
    std::int32_t size = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8WithSub(units.data(), static_cast<std::int32_t>(units.size()), &size, text.data(),
                         static_cast<std::int32_t>(text.size()), kReplacement, nullptr, &status);
    MC_CHECK(U_SUCCESS(status), u_errorName(status));
    units.resize(static_cast<std::size_t>(size));
    return units;
}

std::vector<UChar> folded_units(const std::vector<UChar>& units) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* folding = unorm2_getNFKCCasefoldInstance(&status);
    MC_CHECK(U_SUCCESS(status), u_errorName(status));
    std::vector<UChar> folded(units.size() * 2 + 16);
    for (;;) {
        status = U_ZERO_ERROR;
        const std::int32_t size =
            unorm2_normalize(folding, units.data(), static_cast<std::int32_t>(units.size()),
                             folded.data(), static_cast<std::int32_t>(folded.size()), &status);
        if (status != U_BUFFER_OVERFLOW_ERROR) {
            MC_CHECK(U_SUCCESS(status), u_errorName(status));
            folded.resize(static_cast<std::size_t>(size));
            return folded;
        }
        folded.resize(static_cast<std::size_t>(size));
    }
}

std::string strip_diacritics(const std::vector<UChar>& units) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* nfd = unorm2_getNFDInstance(&status);
    MC_CHECK(U_SUCCESS(status), u_errorName(status));
    std::string text;
    bool bare = false;  // the marks that follow are diacritics
    const auto size = static_cast<std::int32_t>(units.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 unit = 0;
        U16_NEXT(units.data(), at, size, unit);
        const auto code = static_cast<char32_t>(unit);
        if (code < kAsciiEnd) {
            text.push_back(static_cast<char>(code));
            bare = true;
        } else if (is_mark(code)) {
            if (!bare) append_utf8(text, code);
        } else {
            bare = drops_diacritics(code);
            append_utf8(text, bare ? base_letter(*nfd, code) : code);
        }
    }
    return text;
}

}  // namespace

Character character_at(std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    const auto first = static_cast<unsigned char>(rest[0]);
    if (first < kAsciiEnd) return {first, 1};
    const std::size_t size = utf8_character_size(rest);
    if (size == 0) return {kReplacement, 1};
    char32_t code = first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i)
        code = (code << 6) | (static_cast<unsigned char>(rest[i]) & 0x3FU);
    return {code, size};
}

std::string_view whole_characters(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue;  // inside a character
        const std::size_t size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return size > back ? text.substr(0, text.size() - back) : text;
    }
    return text;
}

SentenceClass sentence_class(char32_t code) {
    static const std::array<SentenceClass, kAsciiEnd> ascii = ascii_sentence_classes();
    return code < kAsciiEnd ? ascii[code] : unicode_sentence_class(code);
}

bool is_letter_or_digit(char32_t code) {
    return code != kReplacement && u_isalnum(static_cast<UChar32>(code));
}

bool is_mark(char32_t code) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & U_GC_M_MASK) != 0;
}

bool is_pictograph(char32_t code) {
    return code >= kAsciiEnd &&
           u_hasBinaryProperty(static_cast<UChar32>(code), UCHAR_EXTENDED_PICTOGRAPHIC);
}

bool opens_quotation(char32_t code) {
    const int category = u_charType(static_cast<UChar32>(code));
    return category == U_START_PUNCTUATION || category == U_INITIAL_PUNCTUATION;
}

bool is_word_character(char32_t code) {
    return is_letter_or_digit(code) || is_pictograph(code);
}

bool is_unspaced(char32_t code) {
    if (code < 0x0E00) return false;
    switch (script_of(code)) {
        case USCRIPT_HAN:
        case USCRIPT_HIRAGANA:
        case USCRIPT_KATAKANA:
        case USCRIPT_BOPOMOFO:
        case USCRIPT_HANGUL:
        case USCRIPT_THAI:
        case USCRIPT_LAO:
        case USCRIPT_KHMER:
        case USCRIPT_MYANMAR:
            return true;
        default:
            return code == U'ー';  // lengthens a Kana
    }
}

std::string fold(std::string_view text) {
    const bool ascii = std::all_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < kAsciiEnd; });
    if (!ascii) return strip_diacritics(folded_units(to_utf16(text)));
    std::string folded(text);
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return folded;
}

void append_utf8(std::string& text, char32_t code) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    std::int32_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, static_cast<UChar32>(code));
    text.append(bytes.data(), static_cast<std::size_t>(size));
}

}  // namespace mc::text
