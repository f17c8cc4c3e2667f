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
    {"questions_total", "Questions asked, whether the memory told or not."},
    {"answer_tokens_total", "Tokens that the base model wrote as answers."},
    {"focus_edits_total", "Expand and collapse edits applied to working contexts."},
    {"ingest_tokens_total", "Tokens written to documents."},
    {"ingest_gists_total", "Gists made of them, all levels."},
    {"commits_total", "Store commits of documents."},
}};

constexpr std::array<MetricInfo, kTimingCount> kTimings{{
    {"search_seconds", "One question's search for passages."},
    {"focus_seconds", "One question's working context: score, plan, apply, evidence."},
    {"first_token_seconds", "One answer, from the start of its reading to its first text."},
    {"answer_seconds", "One answer, read and written."},
    {"ingest_seconds", "One document's ingest: read, encode, commit, index."},
}};

// Upper bounds in seconds: a decade in three steps, from one millisecond to minutes.
constexpr std::array kBoundsS{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.2,
                              0.5,   1.0,   2.0,   5.0,  10.0, 20.0, 50.0, 100.0};

prometheus::MetricFamily family_of(const MetricInfo& info, prometheus::MetricType type) {
    prometheus::MetricFamily family;
    family.name = "megacontext_" + std::string(info.name);
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

std::vector<MetricTotal> Metrics::totals() const {
    std::vector<MetricTotal> totals;
    for (std::size_t i = 0; i < kCounterCount; ++i)
        totals.push_back({std::string(kCounters[i].name), value(static_cast<Counter>(i))});
    const ScopedLock lock(timings_mutex_);
    for (std::size_t i = 0; i < kTimingCount; ++i)
        totals.push_back({std::string(kTimings[i].name) + "_sum", timings_[i].sum_s});
    return totals;
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
