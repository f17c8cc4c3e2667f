// SPDX-License-Identifier: Apache-2.0
// Damage to the bytes of a file, as fuzz tests do it.
#pragma once

#include <cstring>
#include <limits>
#include <string>

#include "core/rng.h"

namespace mc::test {

inline void flip_bits(std::string& bytes, Rng& rng) {
    for (std::uint64_t count = 1 + rng.below(8); count > 0; --count)
        bytes[rng.below(bytes.size())] ^= static_cast<char>(1U << rng.below(8));
}

// Lengths, counts and types are the numbers that do harm.
inline void write_extreme(std::string& bytes, Rng& rng) {
    static constexpr std::uint64_t kExtremes[] = {0,
                                                  1,
                                                  8,
                                                  9,
                                                  32,
                                                  255,
                                                  0xffff,
                                                  1ULL << 31,
                                                  0xffffffff,
                                                  1ULL << 32,
                                                  1ULL << 62,
                                                  1ULL << 63,
                                                  std::numeric_limits<std::uint64_t>::max()};
    const std::uint64_t value = kExtremes[rng.below(std::size(kExtremes))];
    const std::size_t size = rng.below(2) == 0 ? 4 : 8;
    if (bytes.size() < size) return;
    std::memcpy(bytes.data() + rng.below(bytes.size() - size + 1), &value, size);
}

inline void splice(std::string& bytes, Rng& rng) {
    const std::size_t from = rng.below(bytes.size());
    const std::string part = bytes.substr(from, 1 + rng.below(64));
    const std::size_t to = rng.below(bytes.size());
    bytes.replace(to, rng.below(65), part);
}

inline std::string mutate(std::string bytes, Rng& rng) {
    for (std::uint64_t count = 1 + rng.below(3); count > 0 && !bytes.empty(); --count) {
        switch (rng.below(5)) {
            case 0:
                flip_bits(bytes, rng);
                break;
            case 1:
                write_extreme(bytes, rng);
                break;
            case 2:
                splice(bytes, rng);
                break;
            case 3:
                bytes.resize(rng.below(bytes.size() + 1));
                break;
            default:
                bytes.erase(rng.below(bytes.size()), rng.below(16));
                break;
        }
    }
    return bytes;
}

// Of a safetensors file, of which nearly all is numbers: half of the damage goes to its header.
inline std::string mutate_safetensors(const std::string& valid, Rng& rng) {
    if (rng.below(2) == 0) return mutate(valid, rng);
    const std::size_t header_end = 8 + static_cast<unsigned char>(valid[0]) +
                                   256 * std::size_t{static_cast<unsigned char>(valid[1])};
    return mutate(valid.substr(0, header_end), rng) + valid.substr(header_end);
}

}  // namespace mc::test
