// SPDX-License-Identifier: Apache-2.0
// The one schema of counters and timings, and the values that this process has recorded.
//
// Every metric is an enumerator here with its name and help text in one table (metrics.cpp); no
// other file invents a metric. The engine counts (runtime/), its owner shows: the REPL's .stats,
// the last log line of a run, the Prometheus form. Threads: every method is safe from many threads.
// Errors: none.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/mutex.h"

namespace mc::telemetry {

// Monotonic counts.
enum class Counter : std::size_t {
    kQuestions,     // questions_total
    kAnswerTokens,  // answer_tokens_total
    kFocusEdits,    // focus_edits_total
    kIngestTokens,  // ingest_tokens_total
    kIngestGists,   // ingest_gists_total
    kCommits,       // commits_total
    kCount,
};

// Durations in seconds, in buckets.
enum class Timing : std::size_t {
    kSearch,      // search_seconds
    kFocus,       // focus_seconds
    kFirstToken,  // first_token_seconds
    kAnswer,      // answer_seconds
    kIngest,      // ingest_seconds
    kCount,
};

struct MetricInfo {
    std::string_view name;
    std::string_view help;
};

MetricInfo metric_info(Counter counter);
MetricInfo metric_info(Timing timing);

// The sum of one metric: "questions_total" and a count, or "search_seconds_sum" and seconds.
struct MetricTotal {
    std::string name;
    std::variant<std::uint64_t, double> value;
};

class Metrics {
  public:
    Metrics();

    void add(Counter counter, std::uint64_t amount = 1);
    void observe(Timing timing, double seconds);

    std::uint64_t value(Counter counter) const;

    // Of every metric, in the order of the schema, counters first.
    std::vector<MetricTotal> totals() const;

    // All metrics in the Prometheus text format 0.0.4, which OpenMetrics scrapers read too; names
    // have "megacontext_" in front.
    std::string prometheus_text() const;

  private:
    struct Histogram {
        std::uint64_t count = 0;
        double sum_s = 0;
        std::vector<std::uint64_t> buckets;  // one per bound of the schema, not cumulative
    };

    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::kCount)> counters_{};
    mutable Mutex timings_mutex_;
    std::array<Histogram, static_cast<std::size_t>(Timing::kCount)> timings_
        MC_GUARDED_BY(timings_mutex_);
};

}  // namespace mc::telemetry
