// SPDX-License-Identifier: Apache-2.0
// Candidate lists of search systems, their fusion, and where the right block stands in them.
// Pure. Value types. Threads: const, free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/ids.h"
#include "eval/measure/metrics.h"
#include "eval/retrieval/retrieval_texts.h"
#include "tree/search_hit.h"

namespace mc::eval {

// As many candidates as a query takes of each index.
inline constexpr std::size_t kCandidates = 64;

// Row-major vectors of blocks and queries.
struct VectorTable {
    std::uint32_t dim = 0;
    std::vector<float> blocks;   // (blocks, dim)
    std::vector<float> queries;  // (queries, dim)
};

// For every query its best blocks, best first.
using CandidateLists = std::vector<std::vector<SearchHit>>;

// The best by inner product, exactly; blocks that a query repeats are left out.
CandidateLists search_vectors(const Haystack& haystack, std::span<const RetrievalQuery> queries,
                              const VectorTable& vectors);

// Takes the blocks that a query repeats out of its list, and what stands behind kCandidates.
void leave_out_repeated(const Haystack& haystack, const RetrievalQuery& query,
                        std::vector<SearchHit>& hits);

struct WeightedLists {
    const CandidateLists* lists = nullptr;
    double weight = 0;
};

// As a query fuses its indexes (working_context/hit_fusion.h).
CandidateLists fuse_lists(std::span<const WeightedLists> systems);

// Rank of the right block in its query's list, from 1; 0: not in it.
std::vector<std::uint32_t> ranks_of(const Haystack& haystack,
                                    std::span<const RetrievalQuery> queries,
                                    const CandidateLists& lists);

struct RetrievalEstimates {
    Estimate recall_at_1;
    Estimate recall_at_5;
    Estimate recall_at_20;
    Estimate reciprocal_rank;  // mean
};

// With 95 % intervals: queries drawn again with replacement.
RetrievalEstimates estimate_ranks(std::span<const std::uint32_t> ranks, std::uint64_t seed);

// Mean difference of reciprocal ranks, a less b, of the same queries, with its interval.
Estimate estimate_difference(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b,
                             std::uint64_t seed);

}  // namespace mc::eval
