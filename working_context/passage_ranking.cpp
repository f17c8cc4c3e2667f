// SPDX-License-Identifier: Apache-2.0
#include "working_context/passage_ranking.h"

#include <algorithm>
#include <map>

namespace mc {
namespace {

// Less says little of what a passage is about.
constexpr double kRivalWordsMin = 0.3;

bool is_rival(const RankedPassage& one, const RankedPassage& best) {
    return best.words >= kRivalWordsMin && one.words >= kRivalWordsShare * best.words;
}

}  // namespace

std::vector<RankedPassage> rank_passages(std::span<const PassageHit> by_words,
                                         std::span<const PassageHit> by_vectors,
                                         const PassageRule& rule) {
    std::map<Passage, RankedPassage> found;
    const double unnamed_cosine = by_vectors.empty() ? 0 : double{by_vectors.back().score};
    for (std::size_t i = 0; i < by_words.size(); ++i) {
        RankedPassage& one = found[by_words[i].passage];
        one.words = double{by_words[i].score};
        one.words_rank = i + 1;
        one.cosine = unnamed_cosine;
    }
    for (std::size_t i = 0; i < by_vectors.size(); ++i) {
        RankedPassage& one = found[by_vectors[i].passage];
        one.cosine = double{by_vectors[i].score};
        one.vectors_rank = i + 1;
    }
    std::vector<RankedPassage> ranking;
    ranking.reserve(found.size());
    for (auto& [passage, one] : found) {
        one.passage = passage;
        one.score = by_vectors.empty() ? one.words : one.cosine + rule.words_weight * one.words;
        ranking.push_back(one);
    }
    std::stable_sort(ranking.begin(), ranking.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    return ranking;
}

std::size_t passages_worth_reading(std::span<const RankedPassage> ranking,
                                   const PassageRule& rule) {
    if (ranking.empty() || ranking.front().score < rule.score_min) return 0;
    const RankedPassage& best = ranking.front();
    const auto is_worth_reading = [&](const RankedPassage& one) {
        const double gap = best.score - one.score;
        return gap <= rule.gap_max || (gap <= rule.rival_gap_max && is_rival(one, best));
    };
    std::size_t count = 0;
    while (count < ranking.size() && count < rule.count_max && is_worth_reading(ranking[count]))
        ++count;
    return count;
}

}  // namespace mc
