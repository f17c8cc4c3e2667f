// SPDX-License-Identifier: Apache-2.0
#include "telemetry/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace mc::telemetry {
namespace {

TEST(ProgressLine, says_stage_share_tokens_rate_and_time_left) {
    EXPECT_EQ(progress_line({"encoding", 12'345, 10.0, 0.25}, 200),
              "encoding [#####...............] 25%  12,345 tokens  1,234 tokens/s  0:30 left");
}

TEST(ProgressLine, an_unknown_end_shows_neither_bar_nor_time_left) {
    EXPECT_EQ(progress_line({"reading", 1'000'000, 2.0, std::nullopt}, 200),
              "reading  1,000,000 tokens  500,000 tokens/s");
}

TEST(ProgressLine, the_first_moment_has_no_rate) {
    EXPECT_EQ(progress_line({"reading", 0, 0.0, 0.0}, 200),
              "reading [....................] 0%  0 tokens");
}

TEST(ProgressLine, never_wraps) {
    for (unsigned columns = 0; columns < 90; ++columns)
        EXPECT_LE(progress_line({"encoding", 12'345, 10.0, 0.25}, columns).size(), columns);
}

TEST(ProgressLine, a_share_beyond_its_range_is_drawn_at_the_end) {
    EXPECT_NE(progress_line({"x", 1, 1.0, 1.5}, 200).find("100%"), std::string::npos);
    EXPECT_NE(progress_line({"x", 1, 1.0, -1.0}, 200).find(" 0%"), std::string::npos);
}

TEST(ProgressLine, long_waits_are_shown_in_hours) {
    EXPECT_NE(progress_line({"x", 1, 3600.0, 0.25}, 200).find("3:00:00 left"), std::string::npos);
}

TEST(ProgressBar, without_a_terminal_not_a_byte_is_written) {
    SimulatedClock clock;
    std::ostringstream stream;
    {
        ProgressBar bar(stream, 0, clock);
        bar.begin("reading");
        bar.update(1, 0.5);
        bar.clear();
    }
    EXPECT_EQ(stream.str(), "");
}

TEST(ProgressBar, draws_again_only_after_a_tenth_of_a_second) {
    SimulatedClock clock;
    std::ostringstream stream;
    ProgressBar bar(stream, 80, clock);
    bar.begin("reading");
    bar.update(1, 0.0);
    const std::string first = stream.str();
    clock.advance_us(99'999);
    bar.update(2, 0.5);
    EXPECT_EQ(stream.str(), first);
    clock.advance_us(1);
    bar.update(3, 0.5);
    EXPECT_NE(stream.str().find("3 tokens"), std::string::npos);
}

TEST(ProgressBar, leaves_a_clean_line_behind) {
    SimulatedClock clock;
    std::ostringstream stream;
    {
        ProgressBar bar(stream, 80, clock);
        bar.begin("reading");
        bar.update(1, 0.0);
    }
    EXPECT_TRUE(stream.str().ends_with("\r\x1b[K"));
}

TEST(ProgressBar, a_new_stage_counts_from_zero) {
    SimulatedClock clock;
    std::ostringstream stream;
    ProgressBar bar(stream, 80, clock);
    bar.begin("reading");
    clock.advance_us(60'000'000);
    bar.update(1, 0.5);
    bar.begin("encoding");
    clock.advance_us(1'000'000);
    bar.update(100, 0.5);
    EXPECT_NE(stream.str().find("encoding [##########..........] 50%  100 tokens  100 tokens/s  "
                                "0:01 left"),
              std::string::npos)
        << stream.str();
}

}  // namespace
}  // namespace mc::telemetry
