// SPDX-License-Identifier: Apache-2.0
// Bytes as text of 64 letters (RFC 4648), for what JSON and headers cannot hold. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mc::serve {

std::string encode_base64(std::string_view bytes);

// nullopt for text that is none. The signs at the end may be missing, lines may be broken.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mc::serve
