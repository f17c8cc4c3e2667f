// SPDX-License-Identifier: Apache-2.0
// What the repetition probe says: reconstruction by place in the block, by surprise, along the way.
//
// Pure; equal scores and seed give equal numbers on every machine. Definitions: docs/evaluation.md.
// The three ways of failing are named in "A Silver Bullet or a Compromise for Full Attention?
// A Comprehensive Study of Gist Token-based Context Compression" (Deng et al. 2024).
// Value types. Requires: conditions "none" and "full" among the scores; a horizon of whole blocks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/measure/metrics.h"

namespace mc::eval {

// Positions of a block that count as its boundary, at either end.
inline constexpr std::size_t kBoundaryTokens = 4;
inline constexpr std::size_t kSurpriseParts = 5;

// Slices: "all"; "first4", "middle", "last4" of each block; "quintile1" … "quintile5" by rising
// NLL_none within a document; "block1" …; "position1" … "position32".
struct RepetitionRow {
    std::string condition;
    std::string slice;
    Estimate nll;
    Estimate probability;  // mean of exp(-NLL): of the right token
    Estimate share;        // Rs; only for a condition that has a shuffled control
};

// Rs of one slice less that of another, with an interval of its own: their windows are the same.
struct RepetitionContrast {
    std::string condition;
    std::string name;  // "first4-middle"
    Estimate share;
};

struct RepetitionGroup {
    std::string name;  // document
    std::size_t window_count = 0;
    bool is_pool = false;
    std::size_t document_count = 1;
    std::vector<RepetitionRow> rows;
    std::vector<RepetitionContrast> contrasts;

    // nullptr when there is none.
    const RepetitionRow* find(std::string_view condition, std::string_view slice) const;
    const RepetitionContrast* find_contrast(std::string_view condition,
                                            std::string_view contrast) const;
};

// One per document, its intervals over windows; and for several the pool of all windows, its
// intervals over documents and only from kPooledIntervalDocumentsMin documents on.
std::vector<RepetitionGroup> repetition_metrics(std::span<const DocumentScores> documents,
                                                std::uint64_t seed);

}  // namespace mc::eval
