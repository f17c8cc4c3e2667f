// SPDX-License-Identifier: Apache-2.0
// The one schema of counters and timings, and the values that this process has recorded.
//
// Every metric is an enumerator here with its name, unit and help text in one table (metrics.cpp);
// no other file invents a metric. Threads: every method is safe from many threads. Errors: none.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutex.h"

namespace mc::telemetry {

// Monotonic counts.
enum class Counter : std::size_t {
    kIngestTokens,  // megacontext_ingest_tokens_total
    kIngestBlocks,  // megacontext_ingest_blocks_total
    kCommits,       // megacontext_commits_total
    kQueries,       // megacontext_queries_total
    kRefocusEdits,  // megacontext_refocus_edits_total
    kCount,
};

// Durations in seconds, in buckets.
enum class Timing : std::size_t {
    kIngestBatch,  // megacontext_ingest_batch_seconds
    kCommit,       // megacontext_commit_seconds
    kQuery,        // megacontext_query_seconds
    kRefocus,      // megacontext_refocus_seconds
    kCount,
};

struct MetricInfo {
    std::string_view name;
    std::string_view help;
};

MetricInfo metric_info(Counter counter);
MetricInfo metric_info(Timing timing);

class Metrics {
  public:
    Metrics();

    void add(Counter counter, std::uint64_t amount = 1);
    void observe(Timing timing, double seconds);

    std::uint64_t value(Counter counter) const;

    // All metrics in the Prometheus text format 0.0.4, which OpenMetrics scrapers read too.
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
