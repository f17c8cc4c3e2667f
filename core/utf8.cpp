// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <cstdint>

namespace mc {
namespace {

bool is_between(std::string_view bytes, std::size_t at, unsigned low, unsigned high) {
    if (at >= bytes.size()) return false;
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    return low <= byte && byte <= high;
}

bool is_continuation(std::string_view bytes, std::size_t at) {
    return is_between(bytes, at, 0x80, 0xbf);
}

}  // namespace

std::size_t utf8_character_size(std::string_view bytes) {
    if (bytes.empty()) return 0;
    const auto lead = static_cast<std::uint8_t>(bytes[0]);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return is_continuation(bytes, 1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;  // no surrogates
        return is_between(bytes, 1, low, high) && is_continuation(bytes, 2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;  // nothing above U+10FFFF
        return is_between(bytes, 1, low, high) && is_continuation(bytes, 2) &&
                       is_continuation(bytes, 3)
                   ? 4
                   : 0;
    }
    return 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = utf8_character_size(bytes.substr(at));
        if (size == 0) return at;
        at += size;
    }
    return std::nullopt;
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = utf8_character_size(bytes.substr(at));
        text += size == 0 ? std::string_view("\xef\xbf\xbd") : bytes.substr(at, size);
        at += size == 0 ? 1 : size;
    }
    return text;
}

}  // namespace mc
