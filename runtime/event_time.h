// SPDX-License-Identifier: Apache-2.0
// When something happened, as people write it: RFC 3339, a date or a date with time and zone.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mc::runtime {

// Half-open, in microseconds since the Unix epoch.
struct TimeSpan {
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;

    bool overlaps(TimeSpan other) const {
        return begin_us < other.end_us && other.begin_us < end_us;
    }

    bool operator==(const TimeSpan&) const = default;
};

// Of what form such a text is, for messages.
inline constexpr std::string_view kEventTimeForm = "2026-03-01 or 2026-03-01T12:30:00Z (RFC 3339)";

// Longest text that parse_event_time() takes.
inline constexpr std::size_t kEventTimeBytesMax = 35;

// "2026-03-01" is that whole day in UTC, "2026-03-01T12:30:00Z" that moment; nullopt for anything
// else, days that no calendar has among it.
std::optional<TimeSpan> parse_event_time(std::string_view text);

}  // namespace mc::runtime
