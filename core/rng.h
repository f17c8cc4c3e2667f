// SPDX-License-Identifier: Apache-2.0
// Injected randomness: SplitMix64, seeded by the caller, equal on every machine.
//
// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014). Chosen over
// std:: distributions because those differ between standard libraries and every number printed here
// must be reproducible. Value type; copy it to fork a stream.
#pragma once

#include <cstdint>

#include "core/check.h"

namespace mc {

class Rng {
  public:
    explicit constexpr Rng(std::uint64_t seed) : state_(seed) {}

    // Uniform over all 64-bit values.
    constexpr std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    // Uniform over [0, bound); bound > 0. Multiply-shift (Lemire 2019); bias below 2^-32 for the
    // bounds used here.
    constexpr std::uint64_t below(std::uint64_t bound) {
        MC_CHECK(bound > 0, "empty range");
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }

    // Uniform over [0, 1), 53 bits.
    constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    constexpr std::uint64_t state() const { return state_; }

  private:
    std::uint64_t state_;
};

}  // namespace mc
