// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/retrieval_search.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/rng.h"
#include "gistnet/search/search_scores.h"
#include "working_context/hit_fusion.h"

namespace mc::eval {
namespace {

constexpr std::size_t kResamples = 1000;
constexpr std::size_t kLow = kResamples / 40;
constexpr std::size_t kHigh = kResamples - 1 - kLow;

bool is_better(const SearchHit& a, const SearchHit& b) {
    return a.score != b.score ? a.score > b.score : a.node < b.node;
}

float inner_product(const float* a, const float* b, std::size_t count) {
    float sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
}

double reciprocal(std::uint32_t rank) {
    return rank == 0 ? 0 : 1.0 / rank;
}

Estimate with_interval(double value, std::vector<double> resampled) {
    std::sort(resampled.begin(), resampled.end());
    Estimate estimate;
    estimate.value = value;
    estimate.low = resampled[kLow];
    estimate.high = resampled[kHigh];
    return estimate;
}

}  // namespace

void leave_out_repeated(const Haystack& haystack, const RetrievalQuery& query,
                        std::vector<SearchHit>& hits) {
    const NodeId right = haystack.blocks[query.block];
    std::erase_if(hits, [&](const SearchHit& hit) {
        return hit.node.document == right.document && hit.node.index > right.index &&
               hit.node.index.value <= right.index.value + query.repeated_blocks;
    });
    if (hits.size() > kCandidates) hits.resize(kCandidates);
}

CandidateLists search_vectors(const Haystack& haystack, std::span<const RetrievalQuery> queries,
                              const VectorTable& vectors) {
    const std::size_t dim = vectors.dim;
    MC_CHECK(vectors.blocks.size() == haystack.blocks.size() * dim &&
                 vectors.queries.size() == queries.size() * dim,
             "a vector for every block and query");
    CandidateLists lists;
    std::vector<SearchHit> all(haystack.blocks.size());
    for (std::size_t q = 0; q < queries.size(); ++q) {
        for (std::size_t b = 0; b < all.size(); ++b)
            all[b] = {haystack.blocks[b], inner_product(vectors.queries.data() + q * dim,
                                                        vectors.blocks.data() + b * dim, dim)};
        const std::size_t wanted = std::min(all.size(), kCandidates + queries[q].repeated_blocks);
        std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted), all.end(),
                          is_better);
        std::vector<SearchHit> best(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted));
        leave_out_repeated(haystack, queries[q], best);
        lists.push_back(std::move(best));
    }
    return lists;
}

CandidateLists fuse_lists(std::span<const WeightedLists> systems) {
    CandidateLists out;
    for (std::size_t q = 0; q < systems.front().lists->size(); ++q) {
        std::vector<WeightedHits> lists;
        for (const WeightedLists& system : systems)
            lists.push_back({(*system.lists)[q], system.weight});
        std::vector<SearchHit> fused;
        for (const auto& [node, score] : fuse_hits(lists))
            fused.push_back({node, static_cast<float>(score)});
        std::sort(fused.begin(), fused.end(), is_better);
        out.push_back(std::move(fused));
    }
    return out;
}

std::vector<std::uint32_t> ranks_of(const Haystack& haystack,
                                    std::span<const RetrievalQuery> queries,
                                    const CandidateLists& lists) {
    std::vector<std::uint32_t> ranks;
    for (std::size_t q = 0; q < queries.size(); ++q) {
        const NodeId right = haystack.blocks[queries[q].block];
        const auto found = std::find_if(lists[q].begin(), lists[q].end(),
                                        [&](const SearchHit& hit) { return hit.node == right; });
        ranks.push_back(
            found == lists[q].end() ? 0 : static_cast<std::uint32_t>(found - lists[q].begin()) + 1);
    }
    return ranks;
}

RetrievalEstimates estimate_ranks(std::span<const std::uint32_t> ranks, std::uint64_t seed) {
    MC_CHECK(!ranks.empty(), "no queries");
    using gistnet::SearchScores;
    constexpr std::array<double SearchScores::*, 4> kQuantities = {
        &SearchScores::recall_at_1, &SearchScores::recall_at_5, &SearchScores::recall_at_20,
        &SearchScores::reciprocal_rank};
    std::array<std::vector<double>, 4> resampled;
    std::vector<std::uint32_t> drawn(ranks.size());
    Rng rng(seed);
    for (std::size_t i = 0; i < kResamples; ++i) {
        for (std::uint32_t& rank : drawn) rank = ranks[rng.below(ranks.size())];
        const SearchScores scores = gistnet::score_ranks(drawn);
        for (std::size_t k = 0; k < kQuantities.size(); ++k)
            resampled[k].push_back(scores.*kQuantities[k]);
    }
    const SearchScores scores = gistnet::score_ranks(ranks);
    std::array<Estimate, 4> out;
    for (std::size_t k = 0; k < kQuantities.size(); ++k)
        out[k] = with_interval(scores.*kQuantities[k], std::move(resampled[k]));
    return {out[0], out[1], out[2], out[3]};
}

Estimate estimate_difference(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b,
                             std::uint64_t seed) {
    MC_CHECK(a.size() == b.size() && !a.empty(), "the same queries");
    std::vector<double> differences;
    double mean = 0;
    const auto share = 1.0 / static_cast<double>(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        differences.push_back(reciprocal(a[i]) - reciprocal(b[i]));
        mean += share * differences.back();
    }
    std::vector<double> resampled;
    Rng rng(seed);
    for (std::size_t i = 0; i < kResamples; ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < differences.size(); ++k)
            sum += differences[rng.below(differences.size())];
        resampled.push_back(sum * share);
    }
    return with_interval(mean, std::move(resampled));
}

}  // namespace mc::eval
