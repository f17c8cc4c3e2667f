// SPDX-License-Identifier: Apache-2.0
// Where a document's windows lie, and which window lends its gists as the shuffled control.
//
// Pure; equal arguments give equal plans on every machine. Value types. Errors: kInvalidInput for
// a document that is too short for its windows, saying how many tokens are needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/result.h"

namespace mc::eval {

// Start positions of window_count windows of window_tokens tokens each: sorted, without overlap,
// spread over the whole document. Requires: both counts > 0.
Result<std::vector<std::uint64_t>> plan_window_starts(std::uint64_t token_count,
                                                      std::uint64_t window_count,
                                                      std::uint64_t window_tokens,
                                                      std::uint64_t seed);

// A permutation of 0…count-1 that maps nothing to itself (one random cycle, Sattolo 1986).
// Requires: count ≥ 2.
std::vector<std::size_t> plan_derangement(std::size_t count, std::uint64_t seed);

}  // namespace mc::eval
