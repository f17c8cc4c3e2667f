// SPDX-License-Identifier: Apache-2.0
// One ranking of passages from what words and what vectors say, and where it should end.
//
//   score = cosine + kWordsWeight × share of the question's words
// Both sides are absolute (a cosine, a share), so that scores of two questions can be compared and
// a threshold has a meaning. A passage that vectors do not name has at most the cosine of the last
// one that they do name, and gets that; one that words do not name has a share of 0. A small reader
// is blinded by what does not help (docs/evaluation.md), so the ranking is cut where scores fall
// off, and is empty when not even the best one is likely to answer. Pure. Value types. Threads:
// free.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tree/passage_index.h"

namespace mc {

// How passages are weighed and how many are taken. The defaults are the rule that ships.
struct PassageRule {
    double words_weight = 0.5;  // of the share of words, against the cosine
    double gap_max = 0.06;      // below the best: a passage beyond it is left out
    double score_min = 0.33;    // of the best: below it the memory does not tell
    std::size_t count_max = 3;  // passages in a window
    // Of passages that hold the question's words as the best one does: they tell of the same thing,
    // and what was so once may have changed ("Ada lives in Oslo", "Ada lives in Rome").
    double rival_gap_max = 0.2;
};

// A rival of a passage holds this share of the question's words that it holds; not all, because
// longer passages are rated lower.
inline constexpr double kRivalWordsShare = 0.95;

struct RankedPassage {
    Passage passage;
    double score = 0;
    double words = 0;              // share of the question's words, 0 to 1
    double cosine = 0;             // 0 where there are no vectors
    std::size_t words_rank = 0;    // from 1; 0: not named by words
    std::size_t vectors_rank = 0;  // from 1; 0: not named by vectors
    std::string lead{};            // a name that led here from another passage
    std::optional<double> gain{};  // nats that LensNet expects it to gain; none: not weighed
    std::string gain_parts{};      // which signals it expects that by
};

// Every passage that either list names, best first; ties in order of passage.
std::vector<RankedPassage> rank_passages(std::span<const PassageHit> by_words,
                                         std::span<const PassageHit> by_vectors,
                                         const PassageRule& rule);

// How many of a ranking's first a window should hold: those that score nearly as well as the best,
// and rivals, which hold as much of the question's words.
std::size_t passages_worth_reading(std::span<const RankedPassage> ranking, const PassageRule& rule);

}  // namespace mc
