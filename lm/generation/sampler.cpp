// SPDX-License-Identifier: Apache-2.0
#include "lm/generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace mc::lm {
namespace {

// The run that holds top_p is short as a rule, so the vocabulary is sorted only as far as needed.
constexpr std::size_t kSortedFirst = 64;
constexpr std::size_t kSortedGrowth = 8;

struct Candidate {
    TokenId token = 0;
    double weight = 0;  // in proportion to its probability; 1 for the likeliest
};

bool is_likelier(const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
}

double total_weight(const std::vector<Candidate>& candidates) {
    return std::accumulate(candidates.begin(), candidates.end(), 0.0,
                           [](double sum, const Candidate& c) { return sum + c.weight; });
}

// Sorts the first count candidates, given that the first sorted ones are in place.
void sort_front(std::vector<Candidate>& candidates, std::size_t sorted, std::size_t count) {
    const auto begin = candidates.begin();
    std::partial_sort(begin + static_cast<std::ptrdiff_t>(sorted),
                      begin + static_cast<std::ptrdiff_t>(count), candidates.end(), is_likelier);
}

void keep_top_p(std::vector<Candidate>& candidates, double share) {
    const double enough = share * total_weight(candidates);
    double held = 0;
    std::size_t kept = 0;
    std::size_t sorted = 0;
    while (kept < candidates.size() && (kept == 0 || held < enough)) {
        if (kept == sorted) {
            const std::size_t next =
                std::min(candidates.size(), std::max(kSortedFirst, sorted * kSortedGrowth));
            sort_front(candidates, sorted, next);
            sorted = next;
        }
        held += candidates[kept++].weight;
    }
    candidates.resize(kept);
}

TokenId draw(const std::vector<Candidate>& candidates, Rng& rng) {
    double left = rng.uniform() * total_weight(candidates);
    for (const Candidate& candidate : candidates) {
        left -= candidate.weight;
        if (left < 0) return candidate.token;
    }
    return candidates.back().token;  // rounding
}

}  // namespace

Result<void> check_sampling(const SamplingOptions& options) {
    const auto refuse = [](const char* what) { return fail(ErrorCode::kUsage, what); };
    // Negated comparisons, so that NaN is refused too.
    if (!(options.temperature >= 0.0F && std::isfinite(options.temperature)))
        return refuse("temperature must be 0 or more");
    if (!(options.top_p > 0.0F && options.top_p <= 1.0F))
        return refuse("top-p must be above 0 and at most 1");
    if (!(options.min_p >= 0.0F && options.min_p <= 1.0F))
        return refuse("min-p must be from 0 to 1");
    if (!(options.repetition_penalty >= 1.0F && std::isfinite(options.repetition_penalty)))
        return refuse("the repetition penalty must be 1 or more");
    return {};
}

void penalise_repetition(std::span<float> logits, std::span<const TokenId> written, float penalty) {
    if (penalty == 1.0F) return;
    for (const TokenId token : std::set<TokenId>(written.begin(), written.end())) {
        if (static_cast<std::size_t>(token) >= logits.size()) continue;  // a byte token
        float& logit = logits[static_cast<std::size_t>(token)];
        logit = logit > 0 ? logit / penalty : logit * penalty;
    }
}

TokenId choose_token(std::span<const float> logits, const SamplingOptions& options, Rng& rng) {
    const auto likeliest = std::max_element(logits.begin(), logits.end());
    const auto best = static_cast<TokenId>(likeliest - logits.begin());
    if (options.temperature <= 0.0F) return best;
    std::vector<Candidate> candidates;
    candidates.reserve(logits.size());
    const auto temperature = static_cast<double>(options.temperature);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const double below = static_cast<double>(logits[i]) - static_cast<double>(*likeliest);
        candidates.push_back({static_cast<TokenId>(i), std::exp(below / temperature)});
    }
    if (options.top_k > 0 && options.top_k < candidates.size()) {
        sort_front(candidates, 0, options.top_k);
        candidates.resize(options.top_k);
    }
    if (options.top_p < 1.0F) keep_top_p(candidates, static_cast<double>(options.top_p));
    if (options.min_p > 0.0F)
        std::erase_if(candidates, [&](const Candidate& candidate) {
            return candidate.weight < static_cast<double>(options.min_p);
        });
    return draw(candidates, rng);
}

}  // namespace mc::lm
