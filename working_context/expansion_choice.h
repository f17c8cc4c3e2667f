// SPDX-License-Identifier: Apache-2.0
// The allocator's exact choice: which candidates to have expanded within the room there is.
//
// A knapsack on a forest: every node costs one, a node needs its parent, the sum of values shall be
// largest. Pure function. Cost: time candidates × room, memory one bit for each of those.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"

namespace mc {

struct ExpansionCandidate {
    NodeId node;
    double value = 0;          // ≥ 0
    bool is_forced = false;    // chosen whatever it is worth, at no cost; so are its ancestors
    bool is_standing = false;  // wins ties
};

// Before in the order of documents, positions and, for one position, levels from the top.
bool precedes(NodeId a, NodeId b);

// One flag per candidate. Requires: candidates in order of precedes(), ancestors among them down
// from each tree's root without a gap.
std::vector<bool> choose_expansions(std::span<const ExpansionCandidate> candidates,
                                    std::uint64_t room);

}  // namespace mc
