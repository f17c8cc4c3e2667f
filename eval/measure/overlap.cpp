// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/overlap.h"

#include <algorithm>

#include "core/rng.h"

namespace mc::eval {

namespace {

constexpr unsigned kFilterBits = 23;                    // 1 MB
constexpr std::uint64_t kBase = 0x9e3779b97f4a7c15ULL;  // odd

std::uint64_t mixed(TokenId token) {
    return Rng(static_cast<std::uint64_t>(token)).next();
}

// kBase^(kOverlapGram - 1), modulo 2^64.
constexpr std::uint64_t oldest_weight() {
    std::uint64_t weight = 1;
    for (std::size_t i = 1; i < kOverlapGram; ++i) weight *= kBase;
    return weight;
}

// Calls visit with the hash of every n-gram, in order: a polynomial in kBase (Karp, Rabin 1987).
template <class Visit>
void for_each_gram(std::span<const TokenId> tokens, Visit visit) {
    std::uint64_t hash = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        if (t >= kOverlapGram) hash -= mixed(tokens[t - kOverlapGram]) * oldest_weight();
        hash = hash * kBase + mixed(tokens[t]);
        if (t + 1 >= kOverlapGram) visit(hash);
    }
}

std::size_t filter_place(std::uint64_t gram) {
    return gram >> (64 - kFilterBits);
}

}  // namespace

GramIndex::GramIndex(std::span<const TokenId> document) {
    for_each_gram(document, [this](std::uint64_t gram) { grams_.push_back(gram); });
    std::sort(grams_.begin(), grams_.end());
    grams_.erase(std::unique(grams_.begin(), grams_.end()), grams_.end());
    is_shared_.assign(grams_.size(), false);
    may_hold_.assign(std::size_t{1} << kFilterBits, false);
    for (const std::uint64_t gram : grams_) may_hold_[filter_place(gram)] = true;
}

void GramIndex::mark(std::span<const TokenId> other) {
    for_each_gram(other, [this](std::uint64_t gram) {
        if (!may_hold_[filter_place(gram)]) return;
        const auto place = std::lower_bound(grams_.begin(), grams_.end(), gram);
        if (place != grams_.end() && *place == gram)
            is_shared_[static_cast<std::size_t>(place - grams_.begin())] = true;
    });
}

std::size_t GramIndex::shared_count() const {
    return static_cast<std::size_t>(std::count(is_shared_.begin(), is_shared_.end(), true));
}

}  // namespace mc::eval
