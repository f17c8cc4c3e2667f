// SPDX-License-Identifier: Apache-2.0
// Percentile bootstrap: how far a number would move if other windows or documents were drawn.
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

// Both ends of a 95 % bootstrap interval; NaN where it is not defined.
struct Interval {
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();
};

// A number and how far it may be trusted.
struct Estimate : Interval {  // over windows of one document, over documents of several
    double value = std::numeric_limits<double>::quiet_NaN();
    // Of several documents: over windows within each, so of these documents and no others.
    Interval within = {};
};

inline constexpr std::uint32_t kBootstrapResamples = 2000;

// Below this many documents an interval over documents says nothing.
inline constexpr std::size_t kPooledIntervalDocumentsMin = 4;

// Numbers of one draw, always as many; draws (windows) says how often each window was drawn.
using Measure = std::function<std::vector<double>(std::span<const std::uint32_t> draws)>;

// What measure says of every window once and of kBootstrapResamples seeded resamples: the same draw
// for all its numbers, so that ratios and differences know that their terms move together. A number
// that is undefined in more than 2.5 % of the resamples gets no interval.
// windows: how many each document has; documents follow one another in the draws.
std::vector<Estimate> bootstrap(std::span<const std::size_t> windows, std::uint64_t seed,
                                const Measure& measure);

// Of units that are no windows of documents; with_interval: else the values alone.
std::vector<Estimate> bootstrap(std::size_t unit_count, bool with_interval, std::uint64_t seed,
                                const Measure& measure);

}  // namespace mc::eval
