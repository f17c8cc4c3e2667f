// SPDX-License-Identifier: Apache-2.0
// What is known of a passage that a question might need: LensNet's inputs.
//
// A signal is one number of one candidate, comparable between questions. Which of them help, and
// what they cost, is measured (docs/lab-log.md). Value types.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace mc::lensnet {

enum class Signal : std::size_t {
    kCosine,              // of the question's and the passage's sentence vectors
    kWords,               // share of the question's words, by rarity
    kWordsRank,           // 1 / rank by words; 0 where words do not name it
    kVectorsRank,         // 1 / rank by vectors; 0 where vectors do not name it
    kNames,               // share of the question's capitalised words
    kLength,              // ln of its tokens
    kNewer,               // of rivals, which hold as many words: share told before less told after
    kLead,                // 1: a name in another passage led here
    kNeighbour,           // best search score of a candidate that it touches; 0 without one
    kQuestionLikelihood,  // nats a token by which the passage makes the question likelier
    kGistLikelihood,      // the same, where its blocks' gists stand in place of its text
    kCount,
};

inline constexpr auto kSignalCount = static_cast<std::size_t>(Signal::kCount);

// As files and reports name them, in order.
inline constexpr std::array<std::string_view, kSignalCount> kSignalNames = {
    "cosine", "words", "words_rank", "vectors_rank",        "names",          "length",
    "newer",  "lead",  "neighbour",  "question_likelihood", "gist_likelihood"};

// Of one candidate.
class Signals {
  public:
    double& operator[](Signal signal) { return values_[static_cast<std::size_t>(signal)]; }

    double operator[](Signal signal) const { return values_[static_cast<std::size_t>(signal)]; }

    bool operator==(const Signals&) const = default;

  private:
    std::array<double, kSignalCount> values_{};
};

}  // namespace mc::lensnet
