// SPDX-License-Identifier: Apache-2.0
#include "eval/repetition/repetition_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::eval {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Per condition and slice.
enum Quantity { kNll, kProbability, kShare, kQuantityCount };

struct Slice {
    std::string name;
    std::vector<bool> taken;  // (W, H)
};

std::size_t place_of(const std::vector<ScoredCondition>& conditions, std::string_view name) {
    const auto found = std::find_if(conditions.begin(), conditions.end(),
                                    [name](const ScoredCondition& c) { return c.name == name; });
    MC_CHECK(found != conditions.end(), "scores without condition " + std::string(name));
    return static_cast<std::size_t>(found - conditions.begin());
}

// The fifth of the scored tokens, from 0, in which each token is by rising NLL_none: (W, H).
std::vector<std::size_t> surprise_parts(const DocumentScores& scores) {
    const std::size_t none = place_of(scores.conditions, kConditionNone);
    const auto nll = [&](std::size_t place) {
        return scores.row(none, place / scores.horizon)[place % scores.horizon];
    };
    std::vector<std::size_t> places;
    for (std::size_t p = 0; p < scores.window_count * scores.horizon; ++p)
        if (p % scores.horizon != 0) places.push_back(p);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return nll(a) < nll(b); });
    std::vector<std::size_t> parts(scores.window_count * scores.horizon, 0);
    for (std::size_t i = 0; i < places.size(); ++i)
        parts[places[i]] = i * kSurpriseParts / places.size();
    return parts;
}

std::vector<Slice> slices_of(const DocumentScores& scores) {
    const std::size_t horizon = scores.horizon;
    const std::vector<std::size_t> parts = surprise_parts(scores);
    std::vector<Slice> slices;
    const auto add = [&](std::string name, const std::function<bool(std::size_t)>& takes) {
        Slice slice{std::move(name), std::vector<bool>(parts.size(), false)};
        for (std::size_t p = 0; p < parts.size(); ++p)
            slice.taken[p] = p % horizon != 0 && takes(p);  // the first token is never scored
        slices.push_back(std::move(slice));
    };
    const auto position = [](std::size_t p) { return p % kBlockSize; };
    add("all", [](std::size_t) { return true; });
    add("first4", [&](std::size_t p) { return position(p) < kBoundaryTokens; });
    add("middle", [&](std::size_t p) {
        return position(p) >= kBoundaryTokens && position(p) < kBlockSize - kBoundaryTokens;
    });
    add("last4", [&](std::size_t p) { return position(p) >= kBlockSize - kBoundaryTokens; });
    for (std::size_t q = 0; q < kSurpriseParts; ++q)
        add("quintile" + std::to_string(q + 1), [&](std::size_t p) { return parts[p] == q; });
    for (std::size_t b = 0; b < horizon / kBlockSize; ++b)
        add("block" + std::to_string(b + 1),
            [&](std::size_t p) { return p % horizon / kBlockSize == b; });
    for (std::size_t t = 0; t < kBlockSize; ++t)
        add("position" + std::to_string(t + 1), [&](std::size_t p) { return position(p) == t; });
    return slices;
}

// Sums over the tokens of one slice, per window, of one document or of several.
struct SliceSums {
    std::vector<double> tokens;       // (W)
    std::vector<double> nll;          // (C, W)
    std::vector<double> probability;  // (C, W)
};

SliceSums sum_windows(const DocumentScores& scores, const Slice& slice) {
    const std::size_t windows = scores.window_count;
    const std::size_t cells = scores.conditions.size() * windows;
    SliceSums sums{std::vector<double>(windows), std::vector<double>(cells),
                   std::vector<double>(cells)};
    for (std::size_t w = 0; w < windows; ++w)
        for (std::size_t t = 0; t < scores.horizon; ++t) {
            if (!slice.taken[w * scores.horizon + t]) continue;
            sums.tokens[w] += 1;
            for (std::size_t c = 0; c < scores.conditions.size(); ++c) {
                const double nll = scores.row(c, w)[t];
                sums.nll[c * windows + w] += nll;
                sums.probability[c * windows + w] += std::exp(-nll);
            }
        }
    return sums;
}

// The documents' windows, one document after the other.
SliceSums gather(std::span<const SliceSums> documents, std::size_t conditions) {
    SliceSums all;
    const auto append = [](std::vector<double>& to, std::span<const double> more) {
        to.insert(to.end(), more.begin(), more.end());
    };
    for (const SliceSums& one : documents) append(all.tokens, one.tokens);
    for (std::size_t c = 0; c < conditions; ++c)
        for (const SliceSums& one : documents) {
            const std::size_t windows = one.tokens.size();
            append(all.nll, std::span(one.nll).subspan(c * windows, windows));
            append(all.probability, std::span(one.probability).subspan(c * windows, windows));
        }
    return all;
}

// What is measured of one group: all slices of it, in order.
class GroupMeasure {
  public:
    GroupMeasure(const std::vector<ScoredCondition>& conditions, std::vector<std::string> slices,
                 std::vector<SliceSums> sums)
        : conditions_(conditions), slices_(std::move(slices)), sums_(std::move(sums)) {
        full_ = place_of(conditions, kConditionFull);
        for (std::size_t c = 0; c < conditions.size(); ++c)
            if (!conditions[c].control.empty())
                controlled_.push_back({c, place_of(conditions, conditions[c].control)});
        const auto slice = [this](const std::string& name) {
            const auto found = std::find(slices_.begin(), slices_.end(), name);
            return static_cast<std::size_t>(found - slices_.begin());
        };
        const std::string last_block = "block" + std::to_string(blocks());
        for (const auto& [one, other] : {std::pair<std::string, std::string>{"first4", "middle"},
                                         {"last4", "middle"},
                                         {"quintile5", "quintile1"},
                                         {last_block, "block1"}})
            contrasts_.push_back({one + "-" + other, slice(one), slice(other)});
    }

    // windows: of each document.
    RepetitionGroup estimate(std::span<const std::size_t> windows, std::uint64_t seed) const {
        const auto measure = [this](std::span<const std::uint32_t> draws) {
            return numbers_of(draws);
        };
        const std::vector<Estimate> found = bootstrap(windows, seed, measure);
        RepetitionGroup group;
        group.document_count = windows.size();
        group.is_pool = windows.size() > 1;
        group.window_count = std::accumulate(windows.begin(), windows.end(), std::size_t{0});
        std::size_t next = 0;
        for (const std::string& slice : slices_)
            for (const ScoredCondition& condition : conditions_) {
                group.rows.push_back({condition.name, slice, found[next + kNll],
                                      found[next + kProbability], found[next + kShare]});
                next += kQuantityCount;
            }
        for (const Contrast& contrast : contrasts_)
            for (const auto& [condition, control] : controlled_)
                group.contrasts.push_back(
                    {conditions_[condition].name, contrast.name, found[next++]});
        return group;
    }

  private:
    struct Contrast {
        std::string name;
        std::size_t slice = 0;
        std::size_t other = 0;
    };

    std::size_t blocks() const {
        return static_cast<std::size_t>(
            std::count_if(slices_.begin(), slices_.end(),
                          [](const std::string& name) { return name.starts_with("block"); }));
    }

    // (slices, conditions, quantities), then (contrasts, conditions with a control).
    std::vector<double> numbers_of(std::span<const std::uint32_t> draws) const {
        const std::size_t count = conditions_.size();
        std::vector<double> numbers;
        numbers.reserve(slices_.size() * count * kQuantityCount);
        for (const SliceSums& sums : sums_) {
            const std::size_t first = numbers.size();
            double tokens = 0;
            for (std::size_t u = 0; u < draws.size(); ++u) tokens += draws[u] * sums.tokens[u];
            for (std::size_t c = 0; c < count; ++c) {
                double nll = 0;
                double probability = 0;
                for (std::size_t u = 0; u < draws.size(); ++u) {
                    nll += draws[u] * sums.nll[c * draws.size() + u];
                    probability += draws[u] * sums.probability[c * draws.size() + u];
                }
                const double share = tokens > 0 ? 1 / tokens : kNan;
                numbers.insert(numbers.end(), {nll * share, probability * share, kNan});
            }
            const auto nll_of = [&](std::size_t c) {
                return numbers[first + c * kQuantityCount + kNll];
            };
            for (const auto& [c, control] : controlled_)
                numbers[first + c * kQuantityCount + kShare] =
                    recovered_share(nll_of(control), nll_of(c), nll_of(full_));
        }
        for (const Contrast& contrast : contrasts_)
            for (const auto& [c, control] : controlled_)
                numbers.push_back(numbers[(contrast.slice * count + c) * kQuantityCount + kShare] -
                                  numbers[(contrast.other * count + c) * kQuantityCount + kShare]);
        return numbers;
    }

    const std::vector<ScoredCondition>& conditions_;
    std::vector<std::string> slices_;
    std::vector<SliceSums> sums_;
    std::size_t full_ = 0;
    std::vector<std::pair<std::size_t, std::size_t>> controlled_;  // condition and its control
    std::vector<Contrast> contrasts_;
};

}  // namespace

const RepetitionRow* RepetitionGroup::find(std::string_view condition,
                                           std::string_view slice) const {
    for (const RepetitionRow& row : rows)
        if (row.condition == condition && row.slice == slice) return &row;
    return nullptr;
}

const RepetitionContrast* RepetitionGroup::find_contrast(std::string_view condition,
                                                         std::string_view contrast) const {
    for (const RepetitionContrast& one : contrasts)
        if (one.condition == condition && one.name == contrast) return &one;
    return nullptr;
}

std::vector<RepetitionGroup> repetition_metrics(std::span<const DocumentScores> documents,
                                                std::uint64_t seed) {
    MC_CHECK(!documents.empty(), "metrics of no documents");
    const std::vector<ScoredCondition>& conditions = documents.front().conditions;
    std::vector<std::string> names;
    std::vector<std::vector<SliceSums>> by_slice;  // [slice][document]
    for (const DocumentScores& scores : documents) {
        MC_CHECK(scores.conditions == conditions && scores.horizon % kBlockSize == 0 &&
                     scores.horizon == documents.front().horizon,
                 "documents of different probes");
        const std::vector<Slice> slices = slices_of(scores);
        by_slice.resize(slices.size());
        names.clear();
        for (std::size_t s = 0; s < slices.size(); ++s) {
            names.push_back(slices[s].name);
            by_slice[s].push_back(sum_windows(scores, slices[s]));
        }
    }
    std::vector<RepetitionGroup> groups;
    const auto add = [&](std::vector<SliceSums> sums, const std::string& name,
                         std::span<const std::size_t> windows) {
        groups.push_back(GroupMeasure(conditions, names, std::move(sums)).estimate(windows, seed));
        groups.back().name = name;
    };
    std::vector<std::size_t> windows;
    for (std::size_t d = 0; d < documents.size(); ++d) {
        std::vector<SliceSums> sums;
        for (const auto& of_slice : by_slice) sums.push_back(of_slice[d]);
        windows.push_back(documents[d].window_count);
        add(std::move(sums), documents[d].document, std::span(windows).last(1));
    }
    if (documents.size() > 1) {
        std::vector<SliceSums> sums;
        for (const auto& of_slice : by_slice) sums.push_back(gather(of_slice, conditions.size()));
        add(std::move(sums), "pooled", windows);
    }
    return groups;
}

}  // namespace mc::eval
