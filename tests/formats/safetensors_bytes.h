// SPDX-License-Identifier: Apache-2.0
// Builds safetensors files in memory, right or deliberately wrong, for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "formats/safetensors.h"

namespace mc::lm::test {

inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
    const std::uint64_t size = header.size();
    std::string bytes(sizeof size, '\0');
    std::memcpy(bytes.data(), &size, sizeof size);
    return bytes.append(header).append(data);
}

// The bytes must outlive the file.
inline Result<std::unique_ptr<SafetensorsFile>> parse_safetensors(std::string_view bytes) {
    return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "test.safetensors");
}

}  // namespace mc::lm::test
