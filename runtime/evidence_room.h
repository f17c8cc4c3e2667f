// SPDX-License-Identifier: Apache-2.0
// Evidence within a number of tokens, and an answer's sources among what stays of it.
//
// Pure functions. Places count from 1, as Answer::sources do.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/search/evidence.h"

namespace mc::runtime {

// Keeps the best first, as long as there is room for the whole of each; returns the places that
// they had.
std::vector<std::size_t> keep_within(std::uint64_t tokens_max, std::vector<Evidence>& evidence);

// The sources as places in what was kept; what was not is named no more.
std::vector<std::size_t> renumbered(std::span<const std::size_t> sources,
                                    std::span<const std::size_t> kept);

}  // namespace mc::runtime
