// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace mc::telemetry {
namespace {

constexpr auto kCounterCount = static_cast<std::size_t>(Counter::kCount);
constexpr auto kTimingCount = static_cast<std::size_t>(Timing::kCount);

constexpr std::array<MetricInfo, kCounterCount> kCounters{{
    {"megacontext_ingest_tokens_total", "Tokens written to documents."},
    {"megacontext_ingest_blocks_total", "Blocks that became gists, all levels."},
    {"megacontext_commits_total", "Store commits."},
    {"megacontext_queries_total", "Questions answered, with or without text from the model."},
    {"megacontext_refocus_edits_total", "Expand and collapse edits applied to working contexts."},
}};

constexpr std::array<MetricInfo, kTimingCount> kTimings{{
    {"megacontext_ingest_batch_seconds", "One ingest batch: read, encode, commit, index."},
    {"megacontext_commit_seconds", "One store commit."},
    {"megacontext_query_seconds", "One question, from its text to the evidence or the answer."},
    {"megacontext_refocus_seconds", "One refocus: score, plan, apply."},
}};

// Upper bounds in seconds: a decade in three steps, from one millisecond to minutes.
constexpr std::array kBoundsS{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.2,
                              0.5,   1.0,   2.0,   5.0,  10.0, 20.0, 50.0, 100.0};

prometheus::MetricFamily family_of(const MetricInfo& info, prometheus::MetricType type) {
    prometheus::MetricFamily family;
    family.name = info.name;
    family.help = info.help;
    family.type = type;
    family.metric.resize(1);
    return family;
}

}  // namespace

MetricInfo metric_info(Counter counter) {
    return kCounters.at(static_cast<std::size_t>(counter));
}

MetricInfo metric_info(Timing timing) {
    return kTimings.at(static_cast<std::size_t>(timing));
}

Metrics::Metrics() {
    for (Histogram& timing : timings_) timing.buckets.resize(kBoundsS.size());
}

void Metrics::add(Counter counter, std::uint64_t amount) {
    counters_.at(static_cast<std::size_t>(counter)).fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t Metrics::value(Counter counter) const {
    return counters_.at(static_cast<std::size_t>(counter)).load(std::memory_order_relaxed);
}

void Metrics::observe(Timing timing, double seconds) {
    const ScopedLock lock(timings_mutex_);
    Histogram& histogram = timings_.at(static_cast<std::size_t>(timing));
    ++histogram.count;
    histogram.sum_s += seconds;
    for (std::size_t i = 0; i < kBoundsS.size(); ++i) {
        if (seconds > kBoundsS[i]) continue;
        ++histogram.buckets[i];
        return;
    }
}

std::string Metrics::prometheus_text() const {
    std::vector<prometheus::MetricFamily> families;
    for (std::size_t i = 0; i < kCounterCount; ++i) {
        families.push_back(family_of(kCounters[i], prometheus::MetricType::Counter));
        families.back().metric[0].counter.value =
            static_cast<double>(value(static_cast<Counter>(i)));
    }
    const ScopedLock lock(timings_mutex_);
    for (std::size_t i = 0; i < kTimingCount; ++i) {
        families.push_back(family_of(kTimings[i], prometheus::MetricType::Histogram));
        auto& shown = families.back().metric[0].histogram;
        shown.sample_count = timings_[i].count;
        shown.sample_sum = timings_[i].sum_s;
        std::uint64_t below = 0;
        for (std::size_t b = 0; b < kBoundsS.size(); ++b) {
            below += timings_[i].buckets[b];
            shown.bucket.push_back({below, kBoundsS[b]});
        }
        shown.bucket.push_back({timings_[i].count, std::numeric_limits<double>::infinity()});
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families);
    return text.str();
}

}  // namespace mc::telemetry
