// SPDX-License-Identifier: Apache-2.0
// How restless a working context may be: the one definition of the allocator's parameters.
//
// They guard against a window that swaps the same blocks in and out at every refocus. A step is
// one refocus. Value type.
#pragma once

#include <cstdint>

namespace mc {

struct AllocatorLimits {
    // Hysteresis: a new expansion takes the place of an old one only if its gain is greater by more
    // than this share of the largest gain of the refocus (gains come in the scorer's own units).
    double switching_cost_share = 0.05;

    // A node that was collapsed at step s may be expanded again from step s + cooldown_steps on.
    std::uint64_t cooldown_steps = 2;

    // Entries that an expansion brought in at step s may be collapsed from s + residency_steps_min.
    std::uint64_t residency_steps_min = 1;
};

// For edits that a user asks for by name: only the rules of the window itself hold.
inline constexpr AllocatorLimits kNoLimits{0.0, 0, 0};

}  // namespace mc
