// SPDX-License-Identifier: Apache-2.0
#include "runtime/event_time.h"

#include <algorithm>
#include <chrono>

namespace mc::runtime {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
constexpr std::int64_t kDayUs = 24 * 60 * kMinuteUs;

// Digits where the pattern has 0, the pattern's own characters elsewhere.
bool has_form(std::string_view text, std::string_view pattern) {
    return text.size() == pattern.size() &&
           std::ranges::equal(text, pattern, [](char c, char wanted) {
               return wanted == '0' ? c >= '0' && c <= '9' : c == wanted;
           });
}

// Requires: digits.
int number_at(std::string_view text, std::size_t begin, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(begin, count)) value = 10 * value + (c - '0');
    return value;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
    if (!has_form(text, "0000-00-00")) return std::nullopt;
    const std::chrono::year_month_day day{
        std::chrono::year(number_at(text, 0, 4)),
        std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
        std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2)))};
    if (!day.ok()) return std::nullopt;
    return std::chrono::sys_days(day).time_since_epoch().count() * kDayUs;
}

// "T12:30:00"; a minute may have a leap second.
std::optional<std::int64_t> parse_time(std::string_view text) {
    if (!has_form(text, "T00:00:00")) return std::nullopt;
    const int hours = number_at(text, 1, 2);
    const int minutes = number_at(text, 4, 2);
    const int seconds = number_at(text, 7, 2);
    if (hours > 23 || minutes > 59 || seconds > 60) return std::nullopt;
    return (60 * hours + minutes) * kMinuteUs + seconds * kSecondUs;
}

// What to subtract from local time.
std::optional<std::int64_t> parse_zone(std::string_view text) {
    if (text == "Z") return 0;
    if (!has_form(text, "+00:00") && !has_form(text, "-00:00")) return std::nullopt;
    const int hours = number_at(text, 1, 2);
    const int minutes = number_at(text, 4, 2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    const std::int64_t offset = (60 * hours + minutes) * kMinuteUs;
    return text.front() == '-' ? -offset : offset;
}

// Takes ".125" from the front; what lies below a microsecond does not count.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
    if (!text.starts_with('.')) return 0;
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    if (end < 2 || end > 10) return std::nullopt;
    std::int64_t fraction = 0;
    for (std::size_t i = 1; i <= 6; ++i) fraction = 10 * fraction + (i < end ? text[i] - '0' : 0);
    text.remove_prefix(end);
    return fraction;
}

}  // namespace

std::optional<TimeSpan> parse_event_time(std::string_view text) {
    constexpr std::size_t kDateBytes = 10;
    constexpr std::size_t kTimeBytes = 9;
    const auto day = parse_date(text.substr(0, kDateBytes));
    if (!day) return std::nullopt;
    if (text.size() == kDateBytes) return TimeSpan{*day, *day + kDayUs};
    const auto time = parse_time(text.substr(kDateBytes, kTimeBytes));
    if (!time) return std::nullopt;
    std::string_view rest = text.substr(kDateBytes + kTimeBytes);
    const auto fraction = take_fraction(rest);
    const auto zone = parse_zone(rest);
    if (!fraction || !zone) return std::nullopt;
    const std::int64_t moment = *day + *time + *fraction - *zone;
    return TimeSpan{moment, moment + 1};
}

}  // namespace mc::runtime
