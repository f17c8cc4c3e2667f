// SPDX-License-Identifier: Apache-2.0
// One ranking of passages from what words and what vectors say, and where it should end.
//
//   score = cosine + words_weight × (share of the question's words)³
// Both sides are absolute (a cosine, a share), so that scores of two questions can be compared and
// a threshold has a meaning. Cubed, because a passage that holds most of a question's words is
// about it, while a third of them is what any text has of any question. A passage that vectors do
// not name has at most the cosine of the last one that they do name, and gets that; one that words
// do not name has a share of 0. A small reader is blinded by what does not help
// (docs/evaluation.md), so the ranking is cut where scores fall off, and is empty when not even the
// best one is likely to answer. Pure. Value types. Threads: free.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tree/passage_index.h"

namespace mc {

// How passages are weighed and how many are taken. The defaults are the rule that ships.
struct PassageRule {
    double words_weight = 0.8;  // of the cubed share of words, against the cosine
    double gap_max = 0.06;      // below the best: a passage beyond it is left out
    double score_min = 0.3;     // of the best: below it the memory does not tell
    // Nor where score + weight × (score − the mean of the next few) is below the least: in a large
    // memory something is always a little like the question, and a fact stands out from that.
    double stand_out_weight = 4;
    double stand_out_min = 0.6;
    std::size_t count_max = 3;  // passages in a window
    // Of passages that hold the question's words as the best one does: they tell of the same thing,
    // and what was so once may have changed ("Ada lives in Oslo", "Ada lives in Rome").
    double rival_gap_max = 0.2;
};

// A rival of a passage holds this share of the question's words that it holds; not all, because
// longer passages are rated lower.
inline constexpr double kRivalWordsShare = 0.95;

// Why a window holds a passage that was found, or leaves it out.
enum class PassageChoice {
    kBest,
    kNearBest,     // scores nearly as well as the best
    kRival,        // holds as much of the question's words as the best
    kLead,         // a name in another one led to it
    kGain,         // LensNet expects more gain than it costs the best
    kNoRoom,       // would be read, were there room in the budget
    kFarBelow,     // scores too far below the best
    kBeyondCount,  // as many as a window takes stand before it
    kLittleGain,   // LensNet expects too little
    kUnlikely,     // not even the best is likely to answer
};

// "best", "near_best", …; and a sentence's end: "scores nearly as well as the best".
std::string_view name_of(PassageChoice choice);
std::string_view reason_of(PassageChoice choice);

inline bool is_read(PassageChoice choice) {
    return choice <= PassageChoice::kGain;
}

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
    PassageChoice choice = PassageChoice::kFarBelow;
};

// Every passage that either list names, best first; ties in order of passage.
std::vector<RankedPassage> rank_passages(std::span<const PassageHit> by_words,
                                         std::span<const PassageHit> by_vectors,
                                         const PassageRule& rule);

// Marks what the rule makes of each passage of a ranking, best first, and returns how many a window
// should hold, its first ones: those that score nearly as well as the best, and rivals, which hold
// as much of the question's words.
std::size_t choose_by_rule(std::span<RankedPassage> ranking, const PassageRule& rule);

}  // namespace mc
