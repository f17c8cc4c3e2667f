// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
Interval interval_of(std::vector<double>& samples) {
    const std::size_t drawn = samples.size();
    std::erase_if(samples, [](double value) { return !std::isfinite(value); });
    if (samples.empty() || (drawn - samples.size()) * 40 > drawn) return {};
    std::sort(samples.begin(), samples.end());
    return {quantile(samples, 0.025), quantile(samples, 0.975)};
}

using Draws = std::vector<std::uint32_t>;

// As many windows of each document as it has.
void draw_windows(std::span<const std::size_t> windows, Rng& rng, Draws& draws) {
    std::size_t first = 0;
    for (const std::size_t count : windows) {
        for (std::size_t i = 0; i < count; ++i) ++draws[first + rng.below(count)];
        first += count;
    }
}

// As many documents as there are, each with all its windows.
void draw_documents(std::span<const std::size_t> windows, Rng& rng, Draws& draws) {
    Draws of_documents(windows.size(), 0);
    for (std::size_t d = 0; d < windows.size(); ++d) ++of_documents[rng.below(windows.size())];
    std::size_t next = 0;
    for (std::size_t d = 0; d < windows.size(); ++d)
        for (std::size_t w = 0; w < windows[d]; ++w) draws[next++] = of_documents[d];
}

template <class Draw>
std::vector<Interval> resample(std::span<const std::size_t> windows, std::size_t window_count,
                               std::uint64_t seed, const Measure& measure, const Draw& draw) {
    Rng rng(seed);
    std::vector<std::vector<double>> samples;
    for (std::uint32_t r = 0; r < kBootstrapResamples; ++r) {
        Draws draws(window_count, 0);
        draw(windows, rng, draws);
        const std::vector<double> numbers = measure(draws);
        samples.resize(numbers.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) samples[i].push_back(numbers[i]);
    }
    std::vector<Interval> intervals;
    for (std::vector<double>& of_number : samples) intervals.push_back(interval_of(of_number));
    return intervals;
}

}  // namespace

std::vector<Estimate> bootstrap(std::span<const std::size_t> windows, std::uint64_t seed,
                                const Measure& measure) {
    const std::size_t count = std::accumulate(windows.begin(), windows.end(), std::size_t{0});
    std::vector<Estimate> estimates = bootstrap(count, false, seed, measure);
    const bool is_pool = windows.size() > 1;
    const auto of_windows = resample(windows, count, seed, measure, draw_windows);
    for (std::size_t i = 0; i < estimates.size(); ++i)
        (is_pool ? estimates[i].within : static_cast<Interval&>(estimates[i])) = of_windows[i];
    if (windows.size() < kPooledIntervalDocumentsMin) return estimates;
    const auto of_documents = resample(windows, count, seed, measure, draw_documents);
    for (std::size_t i = 0; i < estimates.size(); ++i)
        static_cast<Interval&>(estimates[i]) = of_documents[i];
    return estimates;
}

std::vector<Estimate> bootstrap(std::size_t unit_count, bool with_interval, std::uint64_t seed,
                                const Measure& measure) {
    std::vector<Estimate> estimates;
    if (with_interval) return bootstrap(std::span(&unit_count, 1), seed, measure);
    for (const double value : measure(Draws(unit_count, 1))) {
        estimates.emplace_back();
        estimates.back().value = value;
    }
    return estimates;
}

}  // namespace mc::eval
