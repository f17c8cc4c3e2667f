// SPDX-License-Identifier: Apache-2.0
#include "runtime/evidence_room.h"

#include <algorithm>
#include <utility>

namespace mc::runtime {

std::vector<std::size_t> keep_within(std::uint64_t tokens_max, std::vector<Evidence>& evidence) {
    std::vector<std::size_t> places;
    std::vector<Evidence> kept;
    std::uint64_t used = 0;
    for (std::size_t i = 0; i < evidence.size(); ++i) {
        if (used + evidence[i].tokens.count() > tokens_max) continue;
        used += evidence[i].tokens.count();
        kept.push_back(std::move(evidence[i]));
        places.push_back(i + 1);
    }
    evidence = std::move(kept);
    return places;
}

std::vector<std::size_t> renumbered(std::span<const std::size_t> sources,
                                    std::span<const std::size_t> kept) {
    std::vector<std::size_t> numbers;
    for (const std::size_t source : sources) {
        const auto found = std::ranges::find(kept, source);
        if (found != kept.end())
            numbers.push_back(static_cast<std::size_t>(found - kept.begin()) + 1);
    }
    return numbers;
}

}  // namespace mc::runtime
