// SPDX-License-Identifier: Apache-2.0
// Percentile bootstrap: how far a number would move if other units of the same kind were drawn.
//
// Pure: equal arguments give equal intervals on every machine. Value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace mc::eval {

// A number and its 95 % bootstrap interval; NaN where it is not defined.
struct Estimate {
    double value = std::numeric_limits<double>::quiet_NaN();
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();
};

inline constexpr std::uint32_t kBootstrapResamples = 2000;

// Numbers of one draw, always as many; draws (units) says how often each unit was drawn.
using Measure = std::function<std::vector<double>(std::span<const std::uint32_t> draws)>;

// What measure says of every unit once and, with_interval, of kBootstrapResamples seeded resamples:
// the same draw for all its numbers, so that ratios and differences know that their terms move
// together. A number that is undefined in more than 2.5 % of the resamples gets no interval.
std::vector<Estimate> bootstrap(std::size_t unit_count, bool with_interval, std::uint64_t seed,
                                const Measure& measure);

}  // namespace mc::eval
