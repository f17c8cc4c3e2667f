// SPDX-License-Identifier: Apache-2.0
// Which nodes stand for a span of a document when as few as possible shall.
// Pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ids.h"
#include "core/span_math.h"

namespace mc {

// A complete node (level ≥ 1) or a run of raw tokens within one block (level 0).
struct CoverPiece {
    Level level;
    TokenSpan span;

    bool operator==(const CoverPiece&) const = default;
};

// The coarsest cover of a span: the highest nodes that lie within it and end at or below gist_end,
// raw runs elsewhere, cut at block boundaries. In order of position.
// Cost: its length, which grows with the logarithm of the span where gists exist.
std::vector<CoverPiece> coarsest_cover(TokenSpan span, std::uint64_t gist_end);

}  // namespace mc
