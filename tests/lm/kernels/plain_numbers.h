// SPDX-License-Identifier: Apache-2.0
// Numbers for tests of kernels: random rows of either type, and their values in f64. Buffers are as
// long as what they hold, so that a sanitizer sees the first element too many.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "lm/kernels/cpu_kernels.h"

namespace mc::lm::test {

inline double value_of(float x) {
    return x;
}

inline double value_of(Bf16Bits bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class T>
T number_of(double x) {
    return static_cast<T>(x);
}

// Towards zero: exact for numbers that bf16 holds.
template <>
inline Bf16Bits number_of<Bf16Bits>(double x) {
    return static_cast<Bf16Bits>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16);
}

template <class T>
std::vector<double> values_of(const std::vector<T>& numbers) {
    std::vector<double> out;
    for (const T number : numbers) out.push_back(value_of(number));
    return out;
}

// Half a unit in the last place of numbers below two, with room for sums in another order.
template <class T>
constexpr double kTolerance = sizeof(T) == 2 ? 0.008 : 1e-5;

class RandomNumbers {
  public:
    template <class T>
    std::vector<T> draw(std::int64_t count, double low = -1, double high = 1) {
        std::uniform_real_distribution<double> uniform(low, high);
        std::vector<T> out(static_cast<std::size_t>(count));
        for (T& number : out) number = number_of<T>(uniform(random_));
        return out;
    }

  private:
    std::mt19937 random_{5};
};

inline double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

}  // namespace mc::lm::test
