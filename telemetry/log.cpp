// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/config.h"

namespace mc::telemetry {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})";

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return spdlog::level::debug;
        case LogLevel::kInfo:
            return spdlog::level::info;
        case LogLevel::kWarning:
            return spdlog::level::warn;
        case LogLevel::kError:
            return spdlog::level::err;
        case LogLevel::kOff:
            return spdlog::level::off;
    }
    return spdlog::level::off;
}

// A JSON string; bytes that are no UTF-8 become U+FFFD, control characters are escaped.
std::string json_string(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_value(const LogField::Value& value) {
    return std::visit(
        [](const auto& v) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string_view>)
                return json_string(v);
            else
                return nlohmann::json(v).dump();
        },
        value);
}

std::string json_body(std::string_view event, std::span<const LogField> fields) {
    std::string line = "\"event\":" + json_string(event);
    for (const LogField& field : fields)
        line += "," + json_string(field.name()) + ":" + json_value(field.value());
    return line;
}

// Words stay bare; anything with a space, quote or control character is written as a JSON string.
std::string text_value(const LogField::Value& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) return json_value(value);
    const bool bare = !text->empty() && text->find_first_of("\"=\\") == text->npos &&
                      std::ranges::all_of(*text, [](char c) { return c > ' ' && c < '\x7f'; });
    return bare ? std::string(*text) : json_string(*text);
}

std::string text_body(std::string_view event, std::span<const LogField> fields) {
    std::string line(event);
    for (const LogField& field : fields)
        line += " " + std::string(field.name()) + "=" + text_value(field.value());
    return line;
}

spdlog::sink_ptr stderr_sink(bool color) {
    if (color) return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

}  // namespace

struct Logger::Sink {
    Sink(const LogOptions& options, spdlog::sink_ptr sink) : logger("", std::move(sink)) {
        const char* pattern = options.format == LogFormat::kJson ? kJsonPattern : kTextPattern;
        logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            pattern, spdlog::pattern_time_type::utc, "\n"));
        logger.set_level(spdlog_level(options.level));
        logger.flush_on(spdlog::level::debug);
    }

    spdlog::logger logger;
};

std::optional<LogLevel> log_level_from_name(std::string_view name) {
    static_assert(kLogLevelNames.size() == static_cast<std::size_t>(LogLevel::kOff) + 1);
    const auto found = std::ranges::find(kLogLevelNames, name);
    if (found == kLogLevelNames.end()) return std::nullopt;
    return static_cast<LogLevel>(found - kLogLevelNames.begin());
}

Logger::Logger(LogOptions options, const Clock& clock)
    : options_(options),
      clock_(clock),
      sink_(std::make_unique<Sink>(options_, stderr_sink(options_.color))) {}

Logger::Logger(LogOptions options, const Clock& clock, std::ostream& stream)
    : options_(options),
      clock_(clock),
      sink_(std::make_unique<Sink>(options_,
                                   std::make_shared<spdlog::sinks::ostream_sink_mt>(stream))) {}

Logger::~Logger() = default;

bool Logger::wants(LogLevel level) const {
    return level != LogLevel::kOff && level >= options_.level;
}

void Logger::log(LogLevel level, std::string_view event, std::span<const LogField> fields) const {
    if (!wants(level)) return;
    const std::string body =
        options_.format == LogFormat::kJson ? json_body(event, fields) : text_body(event, fields);
    const spdlog::log_clock::time_point now{std::chrono::microseconds(clock_.now_us())};
    sink_->logger.log(now, spdlog::source_loc{}, spdlog_level(level), body);
}

bool color_wanted() {
    const char* forbidden = std::getenv("NO_COLOR");
    return (forbidden == nullptr || *forbidden == '\0') && ::isatty(STDERR_FILENO) == 1;
}

}  // namespace mc::telemetry
