// SPDX-License-Identifier: Apache-2.0
// A second look into the index: what passages that were found lead to.
//
// "Where is the lantern?" finds "Cecil Penhaligon picked up the lantern."; where he went stands in
// a passage that shares nothing with the question. So each full name that a passage has and the
// question has not is asked for together with the question, among the passages that hold the name.
// A name that many passages hold (a book's hero) leads nowhere in particular and is passed over.
// Reads only. Threads: one. Errors: the index's and the embedder's. Cost: a search a name.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/search/bank_search.h"
#include "working_context/passage_ranking.h"

namespace mc::runtime {

// Passages that lead on, from the best one.
inline constexpr std::size_t kLeadsMax = 2;

// found: what the question found, best first; ranges: where to look; none: everywhere. At most
// kLeadsMax, none of found; each says the name.
Result<std::vector<RankedPassage>> follow_leads(const BankText& text, const BankSearch& search,
                                                const std::string& question,
                                                std::span<const RankedPassage> found,
                                                std::span<const PassageRange> ranges);

}  // namespace mc::runtime
