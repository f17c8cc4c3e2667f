// SPDX-License-Identifier: Apache-2.0
#include "lensnet/features.h"

#include <algorithm>
#include <limits>

namespace mc::lensnet {
namespace {

// The two greatest of a signal; −∞ where there are fewer.
struct BestTwo {
    double first = -std::numeric_limits<double>::infinity();
    double second = -std::numeric_limits<double>::infinity();

    void take(double value) {
        second = std::max(second, std::min(first, value));
        first = std::max(first, value);
    }

    double best_other(double own) const { return own == first ? second : first; }
};

}  // namespace

std::vector<std::string> feature_names() {
    std::vector<std::string> names(kSignalNames.begin(), kSignalNames.end());
    for (const char* suffix : {"_margin", "_best"})
        for (const Signal signal : kComparedSignals)
            names.push_back(std::string(kSignalNames[static_cast<std::size_t>(signal)]) + suffix);
    return names;
}

std::vector<Features> features_of(std::span<const Signals> candidates) {
    std::array<BestTwo, kComparedSignals.size()> best;
    for (const Signals& one : candidates)
        for (std::size_t c = 0; c < kComparedSignals.size(); ++c)
            best[c].take(one[kComparedSignals[c]]);
    std::vector<Features> rows;
    rows.reserve(candidates.size());
    for (const Signals& one : candidates) {
        Features& row = rows.emplace_back();
        for (std::size_t s = 0; s < kSignalCount; ++s) row[s] = one[static_cast<Signal>(s)];
        for (std::size_t c = 0; c < kComparedSignals.size(); ++c) {
            const double own = one[kComparedSignals[c]];
            if (candidates.size() > 1) row[kSignalCount + c] = own - best[c].best_other(own);
            row[kSignalCount + kComparedSignals.size() + c] = best[c].first;
        }
    }
    return rows;
}

}  // namespace mc::lensnet
