// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/candidates.h"

#include <algorithm>
#include <map>
#include <utility>

namespace mc::eval {
namespace {

std::size_t tokens_in(const lm::Tokenizer& tokenizer, const std::string& candidate) {
    return tokenizer.encode(candidate).size();
}

// The first one is right; all go into random order.
CandidateSet in_random_order(std::vector<std::string> texts, Rng& rng) {
    CandidateSet set;
    const std::string right = texts.front();
    shuffle(texts, rng);
    set.right = static_cast<std::size_t>(std::ranges::find(texts, right) - texts.begin());
    set.texts = std::move(texts);
    return set;
}

}  // namespace

std::optional<CandidateSet> draw_candidates(std::span<const std::string> values,
                                            const lm::Tokenizer& tokenizer, Rng& rng) {
    std::map<std::size_t, std::vector<std::string>> by_length;
    for (const std::string& value : values)
        by_length[tokens_in(tokenizer, " " + value)].push_back(" " + value);
    std::erase_if(by_length, [](const auto& one) { return one.second.size() < kCandidatesMin; });
    std::size_t usable = 0;
    for (const auto& [length, texts] : by_length) usable += texts.size();
    if (usable == 0) return std::nullopt;
    std::size_t drawn = rng.below(usable);
    for (auto& [length, texts] : by_length) {
        if (drawn >= texts.size()) {
            drawn -= texts.size();
            continue;
        }
        std::swap(texts[0], texts[drawn]);
        for (std::size_t i = 1; i < std::min(texts.size(), kCandidatesMax); ++i)
            std::swap(texts[i], texts[i + rng.below(texts.size() - i)]);
        texts.resize(std::min(texts.size(), kCandidatesMax));
        return in_random_order(std::move(texts), rng);
    }
    return std::nullopt;
}

std::optional<CandidateSet> candidates_around(const std::string& right,
                                              std::vector<std::string> others,
                                              const lm::Tokenizer& tokenizer, Rng& rng) {
    const std::size_t length = tokens_in(tokenizer, " " + right);
    std::erase_if(others, [&](const std::string& other) {
        return tokens_in(tokenizer, " " + other) != length;
    });
    if (others.size() + 1 < kCandidatesMin) return std::nullopt;
    shuffle(others, rng);
    others.resize(std::min(others.size(), kCandidatesMax - 1));
    std::vector<std::string> texts = {" " + right};
    for (const std::string& other : others) texts.push_back(" " + other);
    return in_random_order(std::move(texts), rng);
}

CandidateSet draw_candidates(const std::function<std::string(Rng&)>& make_value,
                             const lm::Tokenizer& tokenizer, Rng& rng) {
    std::vector<std::string> texts = {" " + make_value(rng)};
    const std::size_t length = tokens_in(tokenizer, texts.front());
    while (texts.size() < kCandidatesMax) {
        std::string text = " " + make_value(rng);
        if (tokens_in(tokenizer, text) == length && std::ranges::find(texts, text) == texts.end())
            texts.push_back(std::move(text));
    }
    return in_random_order(std::move(texts), rng);
}

}  // namespace mc::eval
