// SPDX-License-Identifier: Apache-2.0
// Which candidates a window shows, by their gains: the rule that questions and scores go by.
// Pure. Value types.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mc::lensnet {

// Passages that a window shows at most; more are not read together when labels are made.
inline constexpr std::size_t kLensShownMax = 4;

// The candidate with the greatest gain, and those that gain more than the price, kLensShownMax at
// most; the greatest first, equal ones in their order.
std::vector<std::size_t> choice_by(std::span<const double> gains, double price);

}  // namespace mc::lensnet
