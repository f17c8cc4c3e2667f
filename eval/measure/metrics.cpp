// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/check.h"

namespace mc::eval {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// NLL summed per condition and window, of one document or of several.
struct WindowSums {
    std::size_t condition_count = 0;
    std::size_t window_count = 0;
    std::vector<double> nll;          // (C, W)
    std::vector<double> token_count;  // (W)
};

// What is computed from one draw of windows, per condition.
enum Quantity {
    kNll,
    kDeltaNll,
    kGain,
    kSpecificGain,
    kRecovery,
    kSpecificRecovery,
    kRawPerGist,
    kQuantityCount
};

using Quantities = std::array<double, kQuantityCount>;

// Where each condition finds what it is compared with.
struct Comparison {
    std::size_t none = 0;
    std::size_t full = 0;
    std::vector<std::optional<std::size_t>> controls;  // per condition
    std::vector<std::uint32_t> gist_counts;            // per condition
    // Raw tokens and the condition that shows them, fewest first; the full context is the last.
    std::vector<std::pair<std::uint32_t, std::size_t>> raw_curve;
};

std::optional<std::size_t> find_condition(const std::vector<ScoredCondition>& conditions,
                                          std::string_view name) {
    const auto found = std::find_if(conditions.begin(), conditions.end(),
                                    [name](const ScoredCondition& c) { return c.name == name; });
    if (found == conditions.end()) return std::nullopt;
    return static_cast<std::size_t>(found - conditions.begin());
}

Comparison comparison_of(const std::vector<ScoredCondition>& conditions) {
    const auto none = find_condition(conditions, kConditionNone);
    MC_CHECK(none.has_value(), "scores without the condition none");
    Comparison comparison{*none, 0, {}, {}, {}};
    for (std::size_t c = 0; c < conditions.size(); ++c) {
        const ScoredCondition& condition = conditions[c];
        comparison.controls.push_back(find_condition(conditions, condition.control));
        comparison.gist_counts.push_back(condition.gist_count);
        if (condition.raw_tokens > 0) comparison.raw_curve.push_back({condition.raw_tokens, c});
    }
    std::sort(comparison.raw_curve.begin(), comparison.raw_curve.end());
    const auto full = find_condition(conditions, kConditionFull);
    MC_CHECK(full || !comparison.raw_curve.empty(), "scores without a raw context");
    comparison.full = full ? *full : comparison.raw_curve.back().second;
    return comparison;
}

// Fills in what every condition's R is worth in raw tokens, per gist.
void add_raw_per_gist(std::vector<Quantities>& quantities, const Comparison& comparison) {
    std::vector<std::pair<double, double>> curve;
    for (const auto& [tokens, condition] : comparison.raw_curve)
        curve.push_back({static_cast<double>(tokens), quantities[condition][kRecovery]});
    for (std::size_t c = 0; c < quantities.size(); ++c)
        if (comparison.gist_counts[c] > 0)
            quantities[c][kRawPerGist] = equivalent_raw_tokens(curve, quantities[c][kRecovery]) /
                                         static_cast<double>(comparison.gist_counts[c]);
}

// Requires: draws (W) says how often each window was drawn.
std::vector<Quantities> quantities_of(const WindowSums& sums, const Comparison& comparison,
                                      std::span<const std::uint32_t> draws) {
    double tokens = 0;
    for (std::size_t w = 0; w < sums.window_count; ++w) tokens += draws[w] * sums.token_count[w];
    std::vector<double> mean(sums.condition_count);
    for (std::size_t c = 0; c < sums.condition_count; ++c) {
        double total = 0;
        for (std::size_t w = 0; w < sums.window_count; ++w)
            total += draws[w] * sums.nll[c * sums.window_count + w];
        mean[c] = tokens > 0 ? total / tokens : kNan;
    }
    std::vector<Quantities> result(sums.condition_count);
    const double none = mean[comparison.none];
    const double full = mean[comparison.full];
    for (std::size_t c = 0; c < sums.condition_count; ++c) {
        const auto control = comparison.controls[c];
        result[c] = {mean[c],
                     mean[c] - full,
                     none - mean[c],
                     control ? mean[*control] - mean[c] : kNan,
                     recovered_share(none, mean[c], full),
                     control ? recovered_share(mean[*control], mean[c], full) : kNan,
                     kNan};
    }
    add_raw_per_gist(result, comparison);
    return result;
}

// One entry per condition, its quantities in order of Quantity.
std::vector<std::array<Estimate, kQuantityCount>> estimate_all(const WindowSums& sums,
                                                               const Comparison& comparison,
                                                               std::span<const std::size_t> windows,
                                                               std::uint64_t seed) {
    const auto measure = [&](std::span<const std::uint32_t> draws) {
        std::vector<double> flat;
        for (const Quantities& of_condition : quantities_of(sums, comparison, draws))
            flat.insert(flat.end(), of_condition.begin(), of_condition.end());
        return flat;
    };
    const std::vector<Estimate> flat = bootstrap(windows, seed, measure);
    std::vector<std::array<Estimate, kQuantityCount>> estimates(sums.condition_count);
    for (std::size_t i = 0; i < flat.size(); ++i)
        estimates[i / kQuantityCount][i % kQuantityCount] = flat[i];
    return estimates;
}

// (W, H): the horizon tokens that a slice takes.
std::vector<bool> tokens_of(const DocumentScores& scores, const TokenSlice& slice,
                            const Comparison& comparison) {
    std::vector<bool> taken(scores.window_count * scores.horizon, false);
    std::vector<std::size_t> places;
    for (std::size_t w = 0; w < scores.window_count; ++w)
        for (std::size_t t = slice.begin; t < slice.end; ++t)
            places.push_back(w * scores.horizon + t);
    if (slice.is_top_decile) {
        const auto gain = [&](std::size_t place) {
            const std::size_t w = place / scores.horizon;
            const std::size_t t = place % scores.horizon;
            return scores.row(comparison.none, w)[t] - scores.row(comparison.full, w)[t];
        };
        std::stable_sort(places.begin(), places.end(),
                         [&](std::size_t a, std::size_t b) { return gain(a) > gain(b); });
        places.resize((places.size() + 9) / 10);
    }
    for (const std::size_t place : places) taken[place] = true;
    return taken;
}

// Adds one document's windows from window `first` of the sums on.
void add_windows(WindowSums& sums, std::size_t first, const DocumentScores& scores,
                 const TokenSlice& slice, const Comparison& comparison) {
    const std::vector<bool> taken = tokens_of(scores, slice, comparison);
    for (std::size_t w = 0; w < scores.window_count; ++w)
        for (std::size_t t = 0; t < scores.horizon; ++t) {
            if (!taken[w * scores.horizon + t]) continue;
            sums.token_count[first + w] += 1;
            for (std::size_t c = 0; c < sums.condition_count; ++c)
                sums.nll[c * sums.window_count + first + w] += scores.row(c, w)[t];
        }
}

// The rows of a group, slice by slice; equal seeds draw equal windows for every slice.
void add_rows(GroupMetrics& group, const std::vector<ScoredCondition>& conditions,
              const TokenSlice& slice,
              std::span<const std::array<Estimate, kQuantityCount>> found) {
    for (std::size_t c = 0; c < conditions.size(); ++c)
        group.rows.push_back({conditions[c].name, slice.name, found[c][kNll], found[c][kDeltaNll],
                              found[c][kGain], found[c][kSpecificGain], found[c][kRecovery],
                              found[c][kSpecificRecovery], found[c][kRawPerGist]});
}

GroupMetrics metrics_of(std::span<const DocumentScores> documents, std::uint64_t seed) {
    const std::vector<ScoredCondition>& conditions = documents.front().conditions;
    const Comparison comparison = comparison_of(conditions);
    GroupMetrics group;
    group.document_count = documents.size();
    std::vector<std::size_t> windows;
    for (const DocumentScores& scores : documents) {
        windows.push_back(scores.window_count);
        group.window_count += scores.window_count;
    }
    for (const TokenSlice& slice : standard_slices(documents.front().horizon)) {
        WindowSums sums{conditions.size(), group.window_count,
                        std::vector<double>(conditions.size() * group.window_count),
                        std::vector<double>(group.window_count)};
        std::size_t first = 0;
        for (const DocumentScores& scores : documents) {
            add_windows(sums, first, scores, slice, comparison);
            first += scores.window_count;
        }
        add_rows(group, conditions, slice, estimate_all(sums, comparison, windows, seed));
    }
    return group;
}

}  // namespace

std::vector<TokenSlice> standard_slices(std::size_t horizon) {
    std::vector<TokenSlice> slices;
    for (const std::size_t end : {16U, 32U, 64U, 512U, 1024U, 2048U})
        if (end <= horizon) slices.push_back({std::to_string(end), 1, end, false});
    if (horizon > 96) slices.push_back({"33-96", 32, 96, false});
    if (horizon > 32) slices.push_back({"33-" + std::to_string(horizon), 32, horizon, false});
    slices.push_back({"top10", 1, horizon, true});
    return slices;
}

double equivalent_raw_tokens(std::span<const std::pair<double, double>> curve, double recovery) {
    if (curve.empty() || !(recovery >= curve.front().second)) return kNan;
    if (recovery == curve.front().second) return curve.front().first;
    for (std::size_t i = 1; i < curve.size(); ++i) {
        const auto& [fewer, low] = curve[i - 1];
        const auto& [more, high] = curve[i];
        if (!(recovery <= high)) continue;
        const double share = (recovery - low) / (high - low);
        return std::exp(std::log(fewer) + share * (std::log(more) - std::log(fewer)));
    }
    return kNan;
}

DocumentScores part_of_scores(const DocumentScores& scores, std::size_t window_count,
                              const std::function<bool(const ScoredCondition&)>& keep) {
    DocumentScores part{
        scores.document, {}, std::min(window_count, scores.window_count), scores.horizon, {}};
    for (std::size_t c = 0; c < scores.conditions.size(); ++c) {
        if (!keep(scores.conditions[c])) continue;
        part.conditions.push_back(scores.conditions[c]);
        for (std::size_t w = 0; w < part.window_count; ++w) {
            const auto row = scores.row(c, w);
            part.nll.insert(part.nll.end(), row.begin(), row.end());
        }
    }
    return part;
}

const ConditionMetrics* GroupMetrics::find(std::string_view condition,
                                           std::string_view slice) const {
    for (const ConditionMetrics& row : rows)
        if (row.condition == condition && row.slice == slice) return &row;
    return nullptr;
}

GroupMetrics document_metrics(const DocumentScores& scores, std::uint64_t seed) {
    GroupMetrics group = metrics_of(std::span(&scores, 1), seed);
    group.name = scores.document;
    return group;
}

GroupMetrics pooled_metrics(std::span<const DocumentScores> documents, std::uint64_t seed) {
    MC_CHECK(!documents.empty(), "a pool of no documents");
    const DocumentScores& first = documents.front();
    for (const DocumentScores& scores : documents)
        MC_CHECK(scores.conditions == first.conditions && scores.horizon == first.horizon,
                 "documents of different protocols in one pool");
    GroupMetrics group = metrics_of(documents, seed);
    group.name = "pooled";
    group.is_pool = true;
    return group;
}

}  // namespace mc::eval
