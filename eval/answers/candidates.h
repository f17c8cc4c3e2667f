// SPDX-License-Identifier: Apache-2.0
// Candidates of equal token count, one of them right. Pure; equal seeds give equal candidates.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/rng.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

inline constexpr std::size_t kCandidatesMin = 4;
inline constexpr std::size_t kCandidatesMax = 6;

struct CandidateSet {
    std::vector<std::string> texts;  // each begins with a space
    std::size_t right = 0;

    // The right one without its space.
    std::string value() const { return texts[right].substr(1); }
};

// Draws the right one from values and the others from those of as many tokens. nullopt: no value
// of the list has enough equals.
std::optional<CandidateSet> draw_candidates(std::span<const std::string> values,
                                            const lm::Tokenizer& tokenizer, Rng& rng);

// A given right one among others of as many tokens. nullopt: others has too few of them.
// Requires: others are distinct, and right is not among them.
std::optional<CandidateSet> candidates_around(const std::string& right,
                                              std::vector<std::string> others,
                                              const lm::Tokenizer& tokenizer, Rng& rng);

// Draws all from a source of endless different values.
CandidateSet draw_candidates(const std::function<std::string(Rng&)>& make_value,
                             const lm::Tokenizer& tokenizer, Rng& rng);

template <class T>
void shuffle(std::vector<T>& items, Rng& rng) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
}

}  // namespace mc::eval
