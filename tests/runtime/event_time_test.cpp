// SPDX-License-Identifier: Apache-2.0
// Days and moments as people write them.
#include "runtime/event_time.h"

#include <gtest/gtest.h>

namespace mc::runtime {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDayUs = 86'400 * kSecondUs;

TEST(EventTime, ADayIsAllOfIt) {
    EXPECT_EQ(parse_event_time("1970-01-01"), (TimeSpan{0, kDayUs}));
    EXPECT_EQ(parse_event_time("2000-03-01"), (TimeSpan{11'017 * kDayUs, 11'018 * kDayUs}));
    EXPECT_EQ(parse_event_time("1969-12-31"), (TimeSpan{-kDayUs, 0}));
}

TEST(EventTime, AMomentIsInItsZone) {
    EXPECT_EQ(parse_event_time("1970-01-01T00:00:01Z"), (TimeSpan{kSecondUs, kSecondUs + 1}));
    EXPECT_EQ(parse_event_time("1970-01-01T02:00:00+02:00"), (TimeSpan{0, 1}));
    EXPECT_EQ(parse_event_time("1969-12-31T23:30:00-00:30"), (TimeSpan{0, 1}));
    EXPECT_EQ(parse_event_time("1970-01-01T00:00:00.125Z"), (TimeSpan{125'000, 125'001}));
    EXPECT_EQ(parse_event_time("1970-01-01T00:00:00.000001999Z"), (TimeSpan{1, 2}));
    EXPECT_TRUE(parse_event_time("2026-03-01T12:30:00.123456789+02:00"));
}

TEST(EventTime, WhatNoCalendarOrClockHasIsNone) {
    for (const char* bad :
         {"", "2026-3-1", "2026-13-01", "2026-02-29", "2026-04-31", "20260301", "2026-03-01 ",
          "2026-03-01T12:30:00", "2026-03-01 12:30:00Z", "2026-03-01T24:00:00Z",
          "2026-03-01T12:60:00Z", "2026-03-01T12:30:00.Z", "2026-03-01T12:30:00.1234567890Z",
          "2026-03-01T12:30:00+0200", "2026-03-01T12:30:00+24:00", "2026-03-01T12:30:00+02:00 "})
        EXPECT_FALSE(parse_event_time(bad)) << bad;
}

}  // namespace
}  // namespace mc::runtime
