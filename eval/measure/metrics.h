// SPDX-License-Identifier: Apache-2.0
// R, Rs and ΔNLL with bootstrap intervals, from per-token likelihoods.
//
// Pure: it knows no model, no file and no clock; equal scores and seed give equal numbers on every
// machine. Definitions: docs/evaluation.md. Units: nats per token; recoveries are ratios.
// Value types. Requires (bugs otherwise): among the scores are the condition "none" and either
// "full" or one that shows raw tokens alone; in place of "full" the one that shows most of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/recovered_share.h"
#include "eval/measure/bootstrap.h"

namespace mc::eval {

inline constexpr std::string_view kConditionNone = "none";
inline constexpr std::string_view kConditionFull = "full";
// The control of gist condition X is "shuffled-X": gists of another window of the same document.
inline constexpr std::string_view kShuffledPrefix = "shuffled-";
inline constexpr std::string_view kShuffledOtherPrefix = "shuffled-other-";
inline constexpr std::string_view kConditionOracle = "oracle";

// What the metrics have to know of a condition.
struct ScoredCondition {
    std::string name;
    std::string control;           // Rs is measured against it; empty: no Rs
    std::uint32_t raw_tokens = 0;  // > 0: a point of the curve of raw tokens
    std::uint32_t gist_count = 0;  // > 0: its worth in raw tokens is asked for

    bool operator==(const ScoredCondition&) const = default;
};

// NLL of every horizon token of one document's windows under every condition.
struct DocumentScores {
    std::string document;
    std::vector<ScoredCondition> conditions;  // C
    std::size_t window_count = 0;             // W
    std::size_t horizon = 0;                  // H
    std::vector<double> nll;                  // (C, W, H); NaN at horizon token 0, never scored

    std::span<const double> row(std::size_t condition, std::size_t window) const {
        return std::span(nll).subspan((condition * window_count + window) * horizon, horizon);
    }
};

// Which horizon tokens a number is about.
struct TokenSlice {
    std::string name;       // "16", "33-96", "top10"
    std::size_t begin = 0;  // horizon tokens [begin, end), counted from 0
    std::size_t end = 0;
    bool is_top_decile = false;  // of those, the tenth with the largest NLL_none - NLL_full
};

// Horizon tokens 2..16, 2..32, 2..64, 2..512, 2..1,024, 2..2,048, 33..96 and 33..H as far as the
// horizon reaches, and the top decile.
std::vector<TokenSlice> standard_slices(std::size_t horizon);

struct ConditionMetrics {
    std::string condition;
    std::string slice;
    Estimate nll;
    Estimate delta_nll;          // NLL - NLL_full
    Estimate gain;               // NLL_none - NLL
    Estimate specific_gain;      // NLL_shuffled - NLL: only where there is a shuffled control
    Estimate recovery;           // R: NaN for a slice where context does not help at all
    Estimate specific_recovery;  // Rs: only for a condition that has a shuffled control
    Estimate raw_per_gist;       // raw tokens of equal R, per gist; only for gists alone
};

// How many raw tokens recover as much: curve holds (raw tokens, R), fewest tokens first. Between
// two points R is taken as linear in log(tokens); of several answers the smallest. NaN below the
// first point and where the curve never gets there.
double equivalent_raw_tokens(std::span<const std::pair<double, double>> curve, double recovery);

// Every condition and slice of one document, or of all documents pooled.
struct GroupMetrics {
    std::string name;
    std::size_t window_count = 0;
    std::vector<ConditionMetrics> rows;
    bool is_pool = false;
    std::size_t document_count = 1;
    std::string subset = {};  // what singles out its windows; empty: all of them

    // nullptr when there is none.
    const ConditionMetrics* find(std::string_view condition, std::string_view slice) const;
};

// The first window_count windows of it under those of its conditions that keep() accepts.
DocumentScores part_of_scores(const DocumentScores& scores, std::size_t window_count,
                              const std::function<bool(const ScoredCondition&)>& keep);

// Intervals resample windows, the same windows for every condition.
GroupMetrics document_metrics(const DocumentScores& scores, std::uint64_t seed);

// All windows of all documents; intervals resample documents, and are NaN below
// kPooledIntervalDocumentsMin; Estimate::within resamples windows. Requires: the documents have
// equal conditions and horizons.
GroupMetrics pooled_metrics(std::span<const DocumentScores> documents, std::uint64_t seed);

}  // namespace mc::eval
