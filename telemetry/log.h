// SPDX-License-Identifier: Apache-2.0
// Structured log lines: an event name and named values, to standard error.
//
// A line says what happened ("commit", tokens=512), never prose built by hand, so that a machine
// can read the JSON form and a person the text form of the same event. Nothing leaves the machine.
// Ownership: keeps references to the clock and the stream; both outlive the logger.
// Threads: log() is safe from many threads. Errors: none; a line that cannot be written is dropped.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/clock.h"

namespace mc::telemetry {

// In the order of kLogLevelNames (core/config.h).
enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

std::optional<LogLevel> log_level_from_name(std::string_view name);

enum class LogFormat { kText, kJson };

struct LogOptions {
    LogLevel level = LogLevel::kWarning;
    LogFormat format = LogFormat::kText;
    bool color = false;  // see color_wanted(); text form only
};

// One named value of an event. A view: valid until log() returns.
class LogField {
  public:
    using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

    template <std::integral T>
    LogField(std::string_view name, T value) : name_(name) {
        if constexpr (std::same_as<T, bool>)
            value_ = value;
        else if constexpr (std::signed_integral<T>)
            value_ = static_cast<std::int64_t>(value);
        else
            value_ = static_cast<std::uint64_t>(value);
    }

    LogField(std::string_view name, double value) : name_(name), value_(value) {}

    LogField(std::string_view name, std::string_view value) : name_(name), value_(value) {}

    LogField(std::string_view name, const char* value)
        : name_(name), value_(std::string_view(value)) {}

    std::string_view name() const { return name_; }

    const Value& value() const { return value_; }

  private:
    std::string_view name_;
    Value value_;
};

using LogFields = std::initializer_list<LogField>;

class Logger {
  public:
    // To standard error.
    Logger(LogOptions options, const Clock& clock);

    // To any stream: for tests.
    Logger(LogOptions options, const Clock& clock, std::ostream& stream);

    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    // The event's name and the field names are snake_case; "time", "level" and "event" are taken.
    void log(LogLevel level, std::string_view event, std::span<const LogField> fields) const;

    void log(LogLevel level, std::string_view event, LogFields fields = {}) const {
        log(level, event, std::span(fields.begin(), fields.size()));
    }

    void debug(std::string_view event, LogFields fields = {}) const {
        log(LogLevel::kDebug, event, fields);
    }

    void info(std::string_view event, LogFields fields = {}) const {
        log(LogLevel::kInfo, event, fields);
    }

    void warning(std::string_view event, LogFields fields = {}) const {
        log(LogLevel::kWarning, event, fields);
    }

    void error(std::string_view event, LogFields fields = {}) const {
        log(LogLevel::kError, event, fields);
    }

    // True when a line of this level is written: asks before costly field values are computed.
    bool wants(LogLevel level) const;

  private:
    struct Sink;
    LogOptions options_;
    const Clock& clock_;
    std::unique_ptr<Sink> sink_;
};

// True when standard error is a terminal and the environment does not forbid colour (NO_COLOR set
// to anything but "", no-color.org).
bool color_wanted();

}  // namespace mc::telemetry
