// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "core/span_math.h"
#include "core/utf8.h"

namespace mc::apps {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // …

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 64> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
    return std::string(buffer.data(), static_cast<std::size_t>(length > 0 ? length : 0));
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// C0, DEL and C1: the characters that a terminal may act on.
bool is_control(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
    return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

Result<std::uint64_t> parse_digits(std::string_view digits, std::string_view whole,
                                   const char* wanted) {
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || code != std::errc{} || end != digits.data() + digits.size())
        return fail(ErrorCode::kUsage, "\"" + printable(whole) + "\" is not " + wanted);
    return value;
}

}  // namespace

std::string format_count(std::uint64_t count) {
    std::string digits = std::to_string(count);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

std::string format_bytes(std::uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    constexpr std::array<const char*, 5> units{"kB", "MB", "GB", "TB", "PB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return formatted("%.1f %s", value, units[unit]);
}

std::string format_seconds(double seconds) {
    return formatted(seconds < 10 ? "%.3f s" : "%.1f s", seconds);
}

std::string format_time(std::int64_t time_us) {
    const std::time_t seconds = static_cast<std::time_t>(time_us / 1'000'000);
    std::tm parts{};
    if (gmtime_r(&seconds, &parts) == nullptr) return "-";
    std::array<char, 32> buffer{};
    const std::size_t length =
        std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
    return std::string(buffer.data(), length);
}

std::string format_number(double value) {
    return std::isnan(value) ? std::string("-") : formatted("%.4g", value);
}

std::string format_range(std::uint64_t begin, std::uint64_t end) {
    return std::to_string(begin) + ":" + std::to_string(end);
}

std::string format_level(Level level) {
    return level == Level(0) ? std::string("raw") : "L" + std::to_string(level.value);
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_character_size(text.substr(i));
        const std::string_view sequence = text.substr(i, length == 0 ? 1 : length);
        const bool plain = sequence == "\n" || sequence == "\t";
        if (length == 0 || (is_control(sequence) && !plain))
            out += kReplacement;
        else
            out += sequence;
        i += sequence.size();
    }
    return out;
}

std::size_t width_of(std::string_view utf8) {
    std::size_t width = 0;
    for (const char c : utf8) width += is_continuation(c) ? 0 : 1;
    return width;
}

std::string excerpt(std::string_view text, std::size_t columns) {
    std::string line;
    std::size_t width = 0;
    const std::string shown = printable(text);
    for (std::size_t i = 0; i < shown.size();) {
        const bool space = shown[i] == ' ' || shown[i] == '\n' || shown[i] == '\t';
        const std::size_t length = utf8_character_size(std::string_view(shown).substr(i));
        if (!space || (!line.empty() && line.back() != ' ')) {
            if (width + 1 > columns) {
                while (!line.empty() && is_continuation(line.back())) line.pop_back();
                if (!line.empty()) line.pop_back();
                return line.append(kEllipsis);
            }
            line.append(space ? std::string_view(" ") : std::string_view(shown).substr(i, length));
            ++width;
        }
        i += length;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t columns) {
    std::string out;
    std::string line;
    const auto flush = [&] {
        if (!out.empty()) out += '\n';
        out.append(line.empty() ? std::string_view() : indent).append(line);
        line.clear();
    };
    const std::string shown = printable(text);
    std::string_view rest = shown;
    while (!rest.empty()) {
        const std::size_t end = rest.find_first_of(" \n");
        const std::string_view word = rest.substr(0, end);
        if (!line.empty() && width_of(line) + width_of(word) > columns) {
            while (!line.empty() && line.back() == ' ') line.pop_back();
            flush();
        }
        line += word;
        if (end == std::string_view::npos) break;
        if (rest[end] == '\n')
            flush();
        else
            line += ' ';
        rest.remove_prefix(end + 1);
    }
    if (!line.empty()) flush();
    return out;
}

std::string trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Result<std::uint64_t> parse_count(std::string_view text) {
    return parse_digits(text, text, "a whole number");
}

Result<OpenRange> parse_range(std::string_view text) {
    constexpr const char* wanted = "a range A:B (half-open; either end may be left out)";
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return fail(ErrorCode::kUsage, "\"" + printable(text) + "\" is not " + wanted);
    OpenRange range;
    if (colon > 0) {
        MC_ASSIGN(range.begin, parse_digits(text.substr(0, colon), text, wanted));
    }
    if (colon + 1 < text.size()) {
        MC_ASSIGN(range.end, parse_digits(text.substr(colon + 1), text, wanted));
        if (*range.end < range.begin)
            return fail(ErrorCode::kUsage,
                        "range \"" + printable(text) + "\" ends before it begins");
    }
    return range;
}

Result<NodeId> parse_node(std::string_view text) {
    constexpr const char* wanted = "a node such as d1/L2/13";
    const std::size_t first = text.find('/');
    const std::size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
    if (second == std::string_view::npos || !text.starts_with('d') || text[first + 1] != 'L')
        return fail(ErrorCode::kUsage, "\"" + printable(text) + "\" is not " + wanted);
    MC_ASSIGN(const std::uint64_t document, parse_digits(text.substr(1, first - 1), text, wanted));
    MC_ASSIGN(const std::uint64_t level,
              parse_digits(text.substr(first + 2, second - first - 2), text, wanted));
    MC_ASSIGN(const std::uint64_t index, parse_digits(text.substr(second + 1), text, wanted));
    if (level < 1 || level > kLevelMax.value || index > kDocumentTokensMax)
        return fail(ErrorCode::kUsage, "\"" + printable(text) + "\" is not " + wanted +
                                           ": levels go from 1 to " +
                                           std::to_string(kLevelMax.value));
    const NodeId node{DocumentId(document), Level(static_cast<std::uint8_t>(level)),
                      NodeIndex(index)};
    if (index >= node_count(kDocumentTokensMax, node.level))
        return fail(ErrorCode::kUsage, "node " + printable(text) + " lies beyond any document");
    return node;
}

}  // namespace mc::apps
