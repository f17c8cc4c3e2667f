// SPDX-License-Identifier: Apache-2.0
#include "lm/model/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mc::lm {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

double wavelength(double base, std::uint32_t head_dim, std::uint32_t pair) {
    return kTurn * std::pow(base, 2.0 * pair / head_dim);
}

// The pair, as a real number, that turns so many times over the original context.
double pair_of_turns(double turns, const YarnStretch& stretch, double base, double head_dim) {
    return head_dim * std::log(stretch.original_context / (turns * kTurn)) / (2 * std::log(base));
}

}  // namespace

double yarn_attention_factor(double factor) {
    return factor <= 1 ? 1 : 0.1 * std::log(factor) + 1;
}

RopeScaling linear_scaling(double factor, std::uint32_t head_dim) {
    return {std::vector<double>(head_dim / 2, factor), 1};
}

RopeScaling llama3_scaling(const Llama3Stretch& stretch, double base, std::uint32_t head_dim) {
    RopeScaling scaling;
    for (std::uint32_t pair = 0; pair < head_dim / 2; ++pair) {
        // Turns over the original context: many stay, few are stretched in full.
        const double turns = stretch.original_context / wavelength(base, head_dim, pair);
        const double kept = std::clamp((turns - stretch.low_freq_factor) /
                                           (stretch.high_freq_factor - stretch.low_freq_factor),
                                       0.0, 1.0);
        scaling.divisors.push_back(1 / ((1 - kept) / stretch.factor + kept));
    }
    return scaling;
}

RopeScaling yarn_scaling(const YarnStretch& stretch, double base, std::uint32_t head_dim) {
    const double first =
        std::max(0.0, std::floor(pair_of_turns(stretch.beta_fast, stretch, base, head_dim)));
    const double last = std::min(
        head_dim - 1.0, std::ceil(pair_of_turns(stretch.beta_slow, stretch, base, head_dim)));
    const double width = std::max(last - first, 0.001);
    RopeScaling scaling;
    for (std::uint32_t pair = 0; pair < head_dim / 2; ++pair) {
        const double stretched = std::clamp((pair - first) / width, 0.0, 1.0);
        scaling.divisors.push_back(1 / (stretched / stretch.factor + (1 - stretched)));
    }
    scaling.query_scale = stretch.attention_factor * stretch.attention_factor;
    return scaling;
}

}  // namespace mc::lm
