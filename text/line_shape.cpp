// SPDX-License-Identifier: Apache-2.0
#include "text/line_shape.h"

#include <algorithm>

#include "text/characters.h"

namespace mc::text {
namespace {

constexpr std::size_t kMarkerDigitsMax = 4;
constexpr std::size_t kLabelBytesMax = 40;
constexpr std::size_t kLabelWordsMax = 3;
constexpr std::size_t kShortLine = 20;  // columns below which a line's shape says nothing
constexpr std::string_view kOpeners = "|>[<{}#`\\";
constexpr std::string_view kSymbols = "{}[]<>=_|\\;+*/@#~^&$%`\t";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// "- ", "* ", "• ", "– ": a mark and white space.
Verdict begins_bullet(std::string_view text) {
    const Character mark = character_at(text, 0);
    constexpr std::u32string_view kBullets = U"-*+•‣◦–—·";
    if (kBullets.find(mark.code) == std::u32string_view::npos) return Verdict::kNo;
    if (text.size() == mark.size) return Verdict::kOpen;
    return is_blank(text[mark.size]) ? Verdict::kYes : Verdict::kNo;
}

// "1. ", "12) ", "a) ": a short number or one letter, its mark and white space.
Verdict begins_number(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && at <= kMarkerDigitsMax && is_digit(text[at])) ++at;
    const bool number = at > 0;
    if (at == 0 && is_ascii_letter(text[0])) at = 1;
    if (at == 0 || at > kMarkerDigitsMax) return Verdict::kNo;
    if (at == text.size()) return Verdict::kOpen;
    if (text[at] != ')' && !(number && text[at] == '.')) return Verdict::kNo;
    if (at + 1 == text.size()) return Verdict::kOpen;
    return is_blank(text[at + 1]) ? Verdict::kYes : Verdict::kNo;
}

// "12:30", "2026-04-01", "1/4/2026": a first word of digits and enough of their marks.
Verdict begins_time(std::string_view text) {
    if (!is_digit(text[0])) return Verdict::kNo;
    std::size_t colons = 0;
    std::size_t dashes = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (colons > 0 && is_digit(text[at - 1])) return Verdict::kYes;
        if (dashes > 1 && is_digit(c)) return Verdict::kYes;
        if (c == ':' && is_digit(text[at - 1]))
            ++colons;
        else if ((c == '-' || c == '/') && is_digit(text[at - 1]))
            ++dashes;
        else if (!is_digit(c))
            return Verdict::kNo;
    }
    return text.size() < kLabelBytesMax ? Verdict::kOpen : Verdict::kNo;
}

// "POL-358: ", "Mara Quill: ", "mara: ": up to three words and a colon; one when in small letters.
Verdict begins_label(std::string_view text) {
    std::size_t words = 1;
    for (std::size_t at = 0; at < text.size() && at < kLabelBytesMax;) {
        const Character c = character_at(text, at);
        if (c.code == ':' && at > 0) {
            if (at + 1 == text.size()) return Verdict::kOpen;
            const bool small = text[0] >= 'a' && text[0] <= 'z';
            const bool spaced =
                is_blank(text[at + 1]) || text[at + 1] == '\n' || text[at + 1] == '\r';
            return spaced && (words == 1 || !small) ? Verdict::kYes : Verdict::kNo;
        }
        if (c.code == U'：') return at > 0 ? Verdict::kYes : Verdict::kNo;
        if (c.code == ' ' && at > 0) {
            if (++words > kLabelWordsMax) return Verdict::kNo;
        } else if (c.code != '-' && c.code != '_' && c.code != '.' && c.code != '/' &&
                   c.code != '#' && !is_letter_or_digit(c.code) && !is_mark(c.code)) {
            return Verdict::kNo;
        }
        at += c.size;
    }
    return text.size() < kLabelBytesMax ? Verdict::kOpen : Verdict::kNo;
}

}  // namespace

std::size_t line_size(std::string_view text, std::size_t bytes_max) {
    const std::size_t end = std::min(text.size(), bytes_max + 1);
    for (std::size_t at = 0; at < end;) {
        const Character c = character_at(text, at);
        if (sentence_class(c.code) == SentenceClass::kNewline) return at;
        at += c.size;
    }
    return std::string_view::npos;
}

Verdict begins_item(std::string_view text) {
    if (text.empty()) return Verdict::kOpen;
    Verdict any = Verdict::kNo;
    for (auto* const begins : {begins_bullet, begins_number, begins_time, begins_label}) {
        const Verdict one = begins(text);
        if (one == Verdict::kYes) return one;
        if (one == Verdict::kOpen) any = one;
    }
    return kOpeners.find(text[0]) != std::string_view::npos ? Verdict::kYes : any;
}

bool looks_like_prose(std::string_view line) {
    line = line.substr(0, kShapeBytesMax);
    if (line.size() < kShortLine) return true;
    std::size_t symbols = 0;
    std::size_t spaces = 0;
    std::size_t ascii_letters = 0;
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        const bool tight_comma = c == ',' && at + 1 < line.size() && line[at + 1] != ' ';
        if (tight_comma || kSymbols.find(c) != std::string_view::npos) ++symbols;
        if (c == ' ') ++spaces;
        if (is_ascii_letter(c)) ++ascii_letters;
    }
    return symbols * 12 <= line.size() && ascii_letters <= spaces * 15 + 40;
}

std::size_t columns(std::string_view line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

}  // namespace mc::text
