// SPDX-License-Identifier: Apache-2.0
// R and Rs: which share of what the full context gives does x give? docs/evaluation.md. Pure.
#pragma once

#include <limits>

namespace mc {

// (from - x) / (from - full), with from = NLL_none for R and NLL_shuffled for Rs; NaN where the
// full context does not beat it.
constexpr double recovered_share(double from, double x, double full) {
    return from > full ? (from - x) / (from - full) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace mc
