// SPDX-License-Identifier: Apache-2.0
// What each candidate adds to a reading, from readings of random subsets of them.
//
// y of a subset is taken as y of nothing plus the sum of its candidates' gains; ridge regression
// finds the gains. Subsets know of redundancy, which one candidate at a time does not (ContextCite,
// Cohen-Wang et al. 2024, arXiv 2409.00729). Pure. Cost: cubic in the candidates, some dozen.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/rng.h"
#include "lensnet/labelled_question.h"

namespace mc::lensnet {

// Nothing, each candidate alone, and random subsets of two to four, each once.
std::vector<std::vector<std::size_t>> subsets_to_read(std::size_t candidate_count,
                                                      std::size_t random_count, Rng rng);

// The gain of each candidate, in nats. Requires: readings name candidates alone.
std::vector<double> fit_gains(std::span<const SubsetReading> readings, std::size_t candidate_count);

// Correlation over candidates of the gains from the even with those from the odd readings behind
// the first, which is of nothing; 0 where one half is constant.
double split_half_reliability(std::span<const SubsetReading> readings, std::size_t candidate_count);

}  // namespace mc::lensnet
