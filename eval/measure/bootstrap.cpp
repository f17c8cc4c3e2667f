// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"

namespace mc::eval {

namespace {

// Linear interpolation between order statistics. Requires: sorted, not empty.
double quantile(std::span<const double> sorted, double probability) {
    const double place = probability * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double share = place - static_cast<double>(below);
    return sorted[below] + share * (sorted[above] - sorted[below]);
}

// 95 % percentile interval. A ratio that is undefined in more resamples than lie outside one end
// has no finite interval.
void set_interval(Estimate& estimate, std::vector<double>& samples) {
    const std::size_t drawn = samples.size();
    std::erase_if(samples, [](double value) { return !std::isfinite(value); });
    if (samples.empty() || (drawn - samples.size()) * 40 > drawn) return;
    std::sort(samples.begin(), samples.end());
    estimate.low = quantile(samples, 0.025);
    estimate.high = quantile(samples, 0.975);
}

}  // namespace

std::vector<Estimate> bootstrap(std::size_t unit_count, bool with_interval, std::uint64_t seed,
                                const Measure& measure) {
    std::vector<std::uint32_t> draws(unit_count, 1);
    const std::vector<double> observed = measure(draws);
    std::vector<Estimate> estimates(observed.size());
    for (std::size_t i = 0; i < observed.size(); ++i) estimates[i].value = observed[i];
    if (!with_interval) return estimates;

    Rng rng(seed);
    std::vector<std::vector<double>> samples(observed.size());
    for (std::uint32_t r = 0; r < kBootstrapResamples; ++r) {
        std::fill(draws.begin(), draws.end(), 0U);
        for (std::size_t u = 0; u < unit_count; ++u) ++draws[rng.below(unit_count)];
        const std::vector<double> resampled = measure(draws);
        for (std::size_t i = 0; i < resampled.size(); ++i) samples[i].push_back(resampled[i]);
    }
    for (std::size_t i = 0; i < samples.size(); ++i) set_interval(estimates[i], samples[i]);
    return estimates;
}

}  // namespace mc::eval
