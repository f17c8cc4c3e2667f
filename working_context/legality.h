// SPDX-License-Identifier: Apache-2.0
// The one legality function: which edits a window permits now, and why not the others.
//
// Window::apply, the allocator, training and tests all ask here. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "working_context/window.h"

namespace mc {

enum class Legality : std::uint8_t {
    kLegal,
    kNotSelected,  // the node's tokens are not in the window's ranges
    kNotComplete,  // the node does not exist (yet)
    kNotPresent,   // expand: the node is no entry; collapse: not all its children are entries
    kProtected,    // collapse: protected tokens stay raw
    kBudget,       // expand: no room for 31 more entries
    kCooldown,     // expand: collapsed too recently
    kResidency,    // collapse: expanded too recently
};

// Why not, for a user: "the node was collapsed too recently".
std::string_view legality_text(Legality legality);

Legality may_expand(const Window& window, NodeId node, const AllocatorLimits& limits);
Legality may_collapse(const Window& window, NodeId node, const AllocatorLimits& limits);
Legality may_apply(const Window& window, Edit edit, const AllocatorLimits& limits);

// The two rules of age, for planners that think several edits ahead.
bool in_cooldown(const Window& window, const WindowEntry& entry, const AllocatorLimits& limits);
bool in_residency(const Window& window, const WindowEntry& entry, const AllocatorLimits& limits);

// Every legal edit, in reading order; collapses of a block stand where its first entry stands.
std::vector<Edit> legal_edits(const Window& window, const AllocatorLimits& limits);

}  // namespace mc
