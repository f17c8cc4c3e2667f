// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

namespace mc::telemetry {
namespace {

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, a_counter_shows_the_sum_of_what_was_added) {
    Metrics metrics;
    metrics.add(Counter::kIngestTokens, 512);
    metrics.add(Counter::kIngestTokens, 32);
    metrics.add(Counter::kQuestions);
    EXPECT_EQ(metrics.value(Counter::kIngestTokens), 544u);
    const std::string text = metrics.prometheus_text();
    EXPECT_TRUE(has_line(text, "# TYPE megacontext_ingest_tokens_total counter")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_ingest_tokens_total 544")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_questions_total 1")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_commits_total 0")) << text;
}

TEST(Metrics, buckets_are_cumulative_and_bounds_inclusive) {
    Metrics metrics;
    for (double seconds : {0.0005, 0.001, 0.3, 1000.0}) metrics.observe(Timing::kSearch, seconds);
    const std::string text = metrics.prometheus_text();
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_count 4")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_bucket{le=\"0.001\"} 2")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_bucket{le=\"0.2\"} 2")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_bucket{le=\"0.5\"} 3")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_bucket{le=\"100\"} 3")) << text;
    EXPECT_TRUE(has_line(text, "megacontext_search_seconds_bucket{le=\"+Inf\"} 4")) << text;
}

TEST(Metrics, every_metric_has_its_own_name_with_its_unit_last) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
        const MetricInfo info = metric_info(static_cast<Counter>(i));
        EXPECT_TRUE(info.name.ends_with("_total"));
        EXPECT_FALSE(info.help.empty());
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(Timing::kCount); ++i) {
        const MetricInfo info = metric_info(static_cast<Timing>(i));
        EXPECT_TRUE(info.name.ends_with("_seconds"));
        EXPECT_FALSE(info.help.empty());
        EXPECT_TRUE(names.insert(info.name).second) << info.name;
    }
}

TEST(Metrics, totals_are_the_sums_of_every_counter_and_timing_under_its_name) {
    Metrics metrics;
    metrics.add(Counter::kCommits, 3);
    metrics.observe(Timing::kAnswer, 0.25);
    metrics.observe(Timing::kAnswer, 1.5);
    std::map<std::string, std::variant<std::uint64_t, double>> totals;
    for (const MetricTotal& total : metrics.totals()) totals[total.name] = total.value;
    EXPECT_EQ(totals.size(),
              static_cast<std::size_t>(Counter::kCount) + static_cast<std::size_t>(Timing::kCount));
    EXPECT_EQ(std::get<std::uint64_t>(totals.at("commits_total")), 3U);
    EXPECT_EQ(std::get<std::uint64_t>(totals.at("questions_total")), 0U);
    EXPECT_EQ(std::get<double>(totals.at("answer_seconds_sum")), 1.75);
}

TEST(Metrics, no_count_is_lost_between_threads) {
    Metrics metrics;
    const auto work = [&metrics] {
        for (int i = 0; i < 10000; ++i) {
            metrics.add(Counter::kCommits);
            metrics.observe(Timing::kIngest, 0.01);
        }
    };
    std::thread first(work);
    std::thread second(work);
    first.join();
    second.join();
    EXPECT_EQ(metrics.value(Counter::kCommits), 20000u);
    EXPECT_TRUE(has_line(metrics.prometheus_text(), "megacontext_ingest_seconds_count 20000"));
}

}  // namespace
}  // namespace mc::telemetry
