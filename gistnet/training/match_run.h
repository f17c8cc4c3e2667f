// SPDX-License-Identifier: Apache-2.0
// Tokens of a text at which attention over gists is compared with attention over raw text.
#pragma once

#include <cstdint>

namespace mc::gistnet {

// Consecutive tokens that are shown the same gists: whole families as parents, then the blocks
// behind them up to `blocks`, then raw what stands between these and each token.
struct MatchRun {
    std::int64_t families = 0;
    std::int64_t blocks = 0;  // the families' own too: at least 32 × families
    std::int64_t first = 0;   // token, at or after the shown blocks
    std::int64_t count = 0;
};

}  // namespace mc::gistnet
