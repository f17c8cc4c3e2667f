// SPDX-License-Identifier: Apache-2.0
#include "runtime/utf16.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "core/check.h"
#include "core/utf8.h"

namespace mc::runtime {
namespace {

// Of text, one character in a hundred at least ends a word or a sentence, in any script.
constexpr std::size_t kCharactersPerBreakMax = 100;

char32_t unit_at(std::string_view content, std::size_t at, Utf16 order) {
    const auto first = static_cast<std::uint8_t>(content[at]);
    const auto second = static_cast<std::uint8_t>(content[at + 1]);
    return order == Utf16::kLittleEndian ? first | char32_t{second} << 8
                                         : second | char32_t{first} << 8;
}

bool is_high(char32_t unit) {
    return unit >= 0xd800 && unit < 0xdc00;
}

bool is_low(char32_t unit) {
    return unit >= 0xdc00 && unit < 0xe000;
}

// The character at an even offset and how many bytes it has; 0 bytes where there is none.
struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;
};

Character character_at(std::string_view content, std::size_t at, Utf16 order) {
    if (at + 2 > content.size()) return {};
    const char32_t unit = unit_at(content, at, order);
    if (!is_high(unit)) return is_low(unit) ? Character{} : Character{unit, 2};
    if (at + 4 > content.size()) return {};
    const char32_t low = unit_at(content, at + 2, order);
    if (!is_low(low)) return {};
    return {0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 4};
}

void append_utf8(std::string& text, char32_t code) {
    const auto put = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    const auto tail = [&](int shift) { put(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        tail(0);
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        tail(6);
        tail(0);
    } else {
        put(0xf0 | code >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

bool is_white_space(char32_t code) {
    return code == '\t' || code == '\n' || code == '\f' || code == '\r' || code == ' ' ||
           code == 0x3000;
}

bool is_break(char32_t code) {
    constexpr char32_t kPunctuation[] = {0x3001, 0x3002, 0xff0c, 0xff0e};  // 、。，．
    return is_white_space(code) || std::ranges::find(kPunctuation, code) != std::end(kPunctuation);
}

// Control characters, noncharacters and private ones are what misread bytes give.
bool is_of_text(char32_t code) {
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return is_white_space(code);
    const bool is_noncharacter = (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code < 0xfdf0);
    const bool is_private = (code >= 0xe000 && code < 0xf900) || code >= 0xf0000;
    return !is_noncharacter && !is_private;
}

bool reads_as_text(std::string_view content, Utf16 order) {
    std::size_t characters = 0;
    std::size_t breaks = 0;
    for (std::size_t at = 0; at < content.size(); ++characters) {
        const Character one = character_at(content, at, order);
        if (one.bytes == 0 || !is_of_text(one.code)) return false;
        breaks += is_break(one.code) ? 1 : 0;
        at += one.bytes;
    }
    return breaks * kCharactersPerBreakMax >= characters;
}

std::optional<Utf16> marked_order(std::string_view content) {
    if (content.starts_with("\xff\xfe")) return Utf16::kLittleEndian;
    if (content.starts_with("\xfe\xff")) return Utf16::kBigEndian;
    return std::nullopt;
}

// The order in which all zero bytes are upper halves.
std::optional<Utf16> order_of_zeros(std::string_view content) {
    bool even = false;
    bool odd = false;
    for (std::size_t at = content.find('\0'); at != std::string_view::npos;
         at = content.find('\0', at + 1))
        (at % 2 == 0 ? even : odd) = true;
    if (even == odd) return std::nullopt;
    return odd ? Utf16::kLittleEndian : Utf16::kBigEndian;
}

}  // namespace

std::string_view utf16_name(Utf16 order) {
    return order == Utf16::kLittleEndian ? "utf-16le" : "utf-16be";
}

std::optional<Utf16> utf16_from_name(std::string_view name) {
    for (const Utf16 order : {Utf16::kLittleEndian, Utf16::kBigEndian})
        if (utf16_name(order) == name) return order;
    return std::nullopt;
}

std::optional<Utf16> detect_utf16(std::string_view content) {
    if (const auto marked = marked_order(content)) {
        const auto text = decode_utf16(content, *marked);
        return text && text->find('\0') == std::string::npos ? marked : std::nullopt;
    }
    const auto order = order_of_zeros(content);
    return order && reads_as_text(content, *order) ? order : std::nullopt;
}

std::optional<std::string> decode_utf16(std::string_view content, Utf16 order) {
    std::string text;
    for (std::size_t at = 0; at < content.size();) {
        const Character one = character_at(content, at, order);
        if (one.bytes == 0) return std::nullopt;
        append_utf8(text, one.code);
        at += one.bytes;
    }
    return text;
}

std::string encode_utf16(std::string_view utf8, Utf16 order) {
    std::string content;
    const auto put = [&](char32_t unit) {
        const char low = static_cast<char>(unit & 0xff);
        const char high = static_cast<char>(unit >> 8);
        content.push_back(order == Utf16::kLittleEndian ? low : high);
        content.push_back(order == Utf16::kLittleEndian ? high : low);
    };
    for (std::size_t at = 0; at < utf8.size();) {
        const std::size_t size = utf8_character_size(utf8.substr(at));
        MC_CHECK(size > 0, "only UTF-8 can be written as UTF-16");
        constexpr char32_t kLeadMasks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        char32_t code = static_cast<std::uint8_t>(utf8[at]) & kLeadMasks[size];
        for (std::size_t i = 1; i < size; ++i)
            code = code << 6 | (static_cast<std::uint8_t>(utf8[at + i]) & 0x3f);
        at += size;
        if (code < 0x10000) {
            put(code);
        } else {
            put(0xd800 + ((code - 0x10000) >> 10));
            put(0xdc00 + ((code - 0x10000) & 0x3ff));
        }
    }
    return content;
}

}  // namespace mc::runtime
