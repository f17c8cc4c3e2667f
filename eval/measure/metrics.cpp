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

// NLL summed per condition and unit of resampling (a window, or a document for the pool).
struct UnitSums {
    std::size_t condition_count = 0;
    std::size_t unit_count = 0;
    std::vector<double> nll;          // (C, U)
    std::vector<double> token_count;  // (U)
};

// What is computed from one draw of units, per condition.
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

// Requires: draws (U) says how often each unit was drawn.
std::vector<Quantities> quantities_of(const UnitSums& sums, const Comparison& comparison,
                                      std::span<const std::uint32_t> draws) {
    double tokens = 0;
    for (std::size_t u = 0; u < sums.unit_count; ++u) tokens += draws[u] * sums.token_count[u];
    std::vector<double> mean(sums.condition_count);
    for (std::size_t c = 0; c < sums.condition_count; ++c) {
        double total = 0;
        for (std::size_t u = 0; u < sums.unit_count; ++u)
            total += draws[u] * sums.nll[c * sums.unit_count + u];
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
std::vector<std::array<Estimate, kQuantityCount>> estimate_all(const UnitSums& sums,
                                                               const Comparison& comparison,
                                                               bool with_interval,
                                                               std::uint64_t seed) {
    const auto measure = [&](std::span<const std::uint32_t> draws) {
        std::vector<double> flat;
        for (const Quantities& of_condition : quantities_of(sums, comparison, draws))
            flat.insert(flat.end(), of_condition.begin(), of_condition.end());
        return flat;
    };
    const std::vector<Estimate> flat = bootstrap(sums.unit_count, with_interval, seed, measure);
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

// One unit per window.
UnitSums sum_windows(const DocumentScores& scores, const TokenSlice& slice,
                     const Comparison& comparison) {
    const std::size_t windows = scores.window_count;
    UnitSums sums{scores.conditions.size(), windows,
                  std::vector<double>(scores.conditions.size() * windows),
                  std::vector<double>(windows)};
    const std::vector<bool> taken = tokens_of(scores, slice, comparison);
    for (std::size_t w = 0; w < windows; ++w)
        for (std::size_t t = 0; t < scores.horizon; ++t) {
            if (!taken[w * scores.horizon + t]) continue;
            sums.token_count[w] += 1;
            for (std::size_t c = 0; c < sums.condition_count; ++c)
                sums.nll[c * windows + w] += scores.row(c, w)[t];
        }
    return sums;
}

// One unit per document.
UnitSums sum_documents(std::span<const DocumentScores> documents, const TokenSlice& slice,
                       const Comparison& comparison) {
    const std::size_t conditions = documents.front().conditions.size();
    UnitSums sums{conditions, documents.size(), std::vector<double>(conditions * documents.size()),
                  std::vector<double>(documents.size())};
    for (std::size_t d = 0; d < documents.size(); ++d) {
        const UnitSums one = sum_windows(documents[d], slice, comparison);
        for (std::size_t w = 0; w < one.unit_count; ++w) {
            sums.token_count[d] += one.token_count[w];
            for (std::size_t c = 0; c < conditions; ++c)
                sums.nll[c * documents.size() + d] += one.nll[c * one.unit_count + w];
        }
    }
    return sums;
}

// The rows of a group, slice by slice; equal seeds draw equal units for every slice.
void add_rows(GroupMetrics& group, const std::vector<ScoredCondition>& conditions,
              const TokenSlice& slice,
              std::span<const std::array<Estimate, kQuantityCount>> found) {
    for (std::size_t c = 0; c < conditions.size(); ++c)
        group.rows.push_back({conditions[c].name, slice.name, found[c][kNll], found[c][kDeltaNll],
                              found[c][kGain], found[c][kSpecificGain], found[c][kRecovery],
                              found[c][kSpecificRecovery], found[c][kRawPerGist]});
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

double recovered_share(double from, double x, double full) {
    return from > full ? (from - x) / (from - full) : kNan;
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
    const Comparison comparison = comparison_of(scores.conditions);
    GroupMetrics group{scores.document, scores.window_count, {}};
    for (const TokenSlice& slice : standard_slices(scores.horizon)) {
        const UnitSums sums = sum_windows(scores, slice, comparison);
        add_rows(group, scores.conditions, slice, estimate_all(sums, comparison, true, seed));
    }
    return group;
}

GroupMetrics pooled_metrics(std::span<const DocumentScores> documents, std::uint64_t seed) {
    MC_CHECK(!documents.empty(), "a pool of no documents");
    const DocumentScores& first = documents.front();
    const Comparison comparison = comparison_of(first.conditions);
    GroupMetrics group{"pooled", 0, {}, true};
    for (const DocumentScores& scores : documents) {
        MC_CHECK(scores.conditions == first.conditions && scores.horizon == first.horizon,
                 "documents of different protocols in one pool");
        group.window_count += scores.window_count;
    }
    const bool with_interval = documents.size() >= kPooledIntervalDocumentsMin;
    for (const TokenSlice& slice : standard_slices(first.horizon)) {
        const UnitSums sums = sum_documents(documents, slice, comparison);
        add_rows(group, first.conditions, slice,
                 estimate_all(sums, comparison, with_interval, seed));
    }
    return group;
}

}  // namespace mc::eval
