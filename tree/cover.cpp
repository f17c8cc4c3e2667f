// SPDX-License-Identifier: Apache-2.0
#include "tree/cover.h"

#include <algorithm>

namespace mc {

std::vector<CoverPiece> coarsest_cover(TokenSpan span, std::uint64_t gist_end) {
    std::vector<CoverPiece> pieces;
    const std::uint64_t nodes_end = std::min(span.end, gist_end);
    std::uint64_t next = span.begin;
    while (next < span.end) {
        Level level{0};
        while (level < kLevelMax) {
            const std::uint64_t width = tokens_per_node(Level(level.value + 1));
            if (next % width != 0 || next + width > nodes_end) break;
            ++level.value;
        }
        const std::uint64_t run_end = level == Level(0)
                                          ? std::min(span.end, tail_begin(next) + kBlockSize)
                                          : next + tokens_per_node(level);
        pieces.push_back({level, {next, run_end}});
        next = run_end;
    }
    return pieces;
}

}  // namespace mc
