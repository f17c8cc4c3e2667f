// SPDX-License-Identifier: Apache-2.0
#include "working_context/passage_ranking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace mc {
namespace {

// Less says little of what a passage is about.
constexpr double kRivalWordsMin = 0.3;

// The next few passages, from which the one that answers stands out.
constexpr std::size_t kOthersCount = 4;

// Shares of words alone do not say how well others stand: any text has some of any question.
bool is_likely(std::span<const RankedPassage> ranking, const PassageRule& rule) {
    const double best = ranking.front().score;
    const auto others = ranking.subspan(1, std::min(kOthersCount, ranking.size() - 1));
    const bool has_vectors = ranking.front().vectors_rank > 0;
    if (others.empty() || !has_vectors || best < rule.score_min) return best >= rule.score_min;
    double sum = 0;
    for (const RankedPassage& other : others) sum += other.score;
    const double gap = best - sum / static_cast<double>(others.size());
    return best + rule.stand_out_weight * gap >= rule.stand_out_min;
}

bool is_rival(const RankedPassage& one, const RankedPassage& best) {
    return best.words >= kRivalWordsMin && one.words >= kRivalWordsShare * best.words;
}

PassageChoice choice_of(const RankedPassage& one, std::size_t place, const RankedPassage& best,
                        const PassageRule& rule) {
    if (place >= rule.count_max) return PassageChoice::kBeyondCount;
    if (place == 0) return PassageChoice::kBest;
    const double gap = best.score - one.score;
    if (gap <= rule.gap_max) return PassageChoice::kNearBest;
    return gap <= rule.rival_gap_max && is_rival(one, best) ? PassageChoice::kRival
                                                            : PassageChoice::kFarBelow;
}

struct ChoiceWords {
    std::string_view name;
    std::string_view reason;
};

// In the order of PassageChoice.
constexpr std::array kChoices = {
    ChoiceWords{"best", "it is the best"},
    ChoiceWords{"near_best", "it scores nearly as well as the best"},
    ChoiceWords{"rival", "it holds as much of the question's words as the best"},
    ChoiceWords{"lead", "a name in a passage that is read led to it"},
    ChoiceWords{"gain", "it is expected to gain more than it costs the best"},
    ChoiceWords{"no_room", "the budget has no room for it"},
    ChoiceWords{"far_below", "it scores too far below the best"},
    ChoiceWords{"beyond_count", "as many as a window takes are read"},
    ChoiceWords{"little_gain", "it is expected to gain too little"},
    ChoiceWords{"unlikely", "not even the best is likely to answer"}};
static_assert(kChoices.size() == static_cast<std::size_t>(PassageChoice::kUnlikely) + 1);

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
        one.score = by_vectors.empty() ? one.words
                                       : one.cosine + rule.words_weight * std::pow(one.words, 3);
        ranking.push_back(one);
    }
    std::stable_sort(ranking.begin(), ranking.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    return ranking;
}

std::size_t choose_by_rule(std::span<RankedPassage> ranking, const PassageRule& rule) {
    if (ranking.empty()) return 0;
    if (!is_likely(ranking, rule)) {
        for (RankedPassage& one : ranking) one.choice = PassageChoice::kUnlikely;
        return 0;
    }
    std::size_t read = 0;
    for (std::size_t i = 0; i < ranking.size(); ++i) {
        PassageChoice& choice = ranking[i].choice;
        choice = choice_of(ranking[i], i, ranking.front(), rule);
        // Behind one that is left out none is read.
        if (is_read(choice) && read < i) choice = PassageChoice::kFarBelow;
        if (is_read(choice)) ++read;
    }
    return read;
}

std::string_view name_of(PassageChoice choice) {
    return kChoices[static_cast<std::size_t>(choice)].name;
}

std::string_view reason_of(PassageChoice choice) {
    return kChoices[static_cast<std::size_t>(choice)].reason;
}

}  // namespace mc
