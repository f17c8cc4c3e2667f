// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/passage_source.h"

#include <algorithm>

namespace mc::eval {

std::vector<FoundPassage> join_neighbours(std::span<const FoundPassage> passages) {
    std::vector<FoundPassage> runs;
    for (FoundPassage joined : passages) {
        std::size_t place = runs.size();
        for (std::size_t r = 0; r < runs.size();) {
            const FoundPassage& run = runs[r];
            const bool touches = run.document == joined.document &&
                                 run.tokens.begin <= joined.tokens.end &&
                                 joined.tokens.begin <= run.tokens.end;
            if (!touches) {
                ++r;
                continue;
            }
            joined.tokens.begin = std::min(joined.tokens.begin, run.tokens.begin);
            joined.tokens.end = std::max(joined.tokens.end, run.tokens.end);
            place = std::min(place, r);
            runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(r));
            r = 0;  // the longer run may touch one that was passed over
        }
        runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(std::min(place, runs.size())),
                    joined);
    }
    return runs;
}

}  // namespace mc::eval
