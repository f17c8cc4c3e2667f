// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace mc::telemetry {
namespace {

// The simulated clock stands at 2023-11-14 22:13:20 UTC.
class Log : public testing::Test {
  protected:
    std::string line(LogOptions options, LogLevel level, std::string_view event,
                     LogFields fields = {}) {
        std::ostringstream stream;
        Logger(options, clock_, stream).log(level, event, fields);
        return stream.str();
    }

    SimulatedClock clock_;
};

TEST_F(Log, text_is_time_level_event_and_fields) {
    EXPECT_EQ(line({.level = LogLevel::kInfo}, LogLevel::kInfo, "commit",
                   {{"tokens", 512}, {"durable", true}, {"seconds", 0.25}, {"bank", "default"}}),
              "2023-11-14T22:13:20.000Z info commit tokens=512 durable=true seconds=0.25 "
              "bank=default\n");
}

TEST_F(Log, text_quotes_values_that_could_be_mistaken) {
    const std::string text = line({.level = LogLevel::kInfo}, LogLevel::kError, "read",
                                  {{"path", "a b"}, {"note", "line\nbreak"}, {"empty", ""}});
    EXPECT_NE(text.find("path=\"a b\" note=\"line\\nbreak\" empty=\"\"\n"), std::string::npos)
        << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST_F(Log, json_lines_parse_and_keep_types) {
    clock_.advance_us(123);
    const auto json = nlohmann::json::parse(
        line({.level = LogLevel::kDebug, .format = LogFormat::kJson}, LogLevel::kWarning, "commit",
             {{"tokens", std::uint64_t{1} << 63}, {"delta", -3}, {"ok", false}, {"text", "a\"b"}}));
    EXPECT_EQ(json.at("time"), "2023-11-14T22:13:20.000123Z");
    EXPECT_EQ(json.at("level"), "warning");
    EXPECT_EQ(json.at("event"), "commit");
    EXPECT_EQ(json.at("tokens"), std::uint64_t{1} << 63);
    EXPECT_EQ(json.at("delta"), -3);
    EXPECT_EQ(json.at("ok"), false);
    EXPECT_EQ(json.at("text"), "a\"b");
}

TEST_F(Log, json_survives_any_bytes) {
    const std::string bytes("\xff\x00\x1b[31m\n", 8);
    const std::string text = line({.level = LogLevel::kInfo, .format = LogFormat::kJson},
                                  LogLevel::kInfo, "read", {{"bytes", bytes}});
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(Log, a_percent_or_brace_in_a_value_is_only_text) {
    EXPECT_NE(line({.level = LogLevel::kInfo}, LogLevel::kInfo, "read", {{"path", "%v{}%l"}})
                  .find("path=%v{}%l\n"),
              std::string::npos);
}

TEST_F(Log, lines_below_the_level_are_not_written) {
    EXPECT_EQ(line({.level = LogLevel::kWarning}, LogLevel::kInfo, "commit"), "");
    EXPECT_NE(line({.level = LogLevel::kWarning}, LogLevel::kWarning, "commit"), "");
    EXPECT_EQ(line({.level = LogLevel::kOff}, LogLevel::kError, "commit"), "");
}

TEST_F(Log, the_names_of_the_setting_are_the_levels_and_nothing_else_parses) {
    EXPECT_EQ(log_level_from_name("debug"), LogLevel::kDebug);
    EXPECT_EQ(log_level_from_name("info"), LogLevel::kInfo);
    EXPECT_EQ(log_level_from_name("warning"), LogLevel::kWarning);
    EXPECT_EQ(log_level_from_name("error"), LogLevel::kError);
    EXPECT_EQ(log_level_from_name("off"), LogLevel::kOff);
    EXPECT_EQ(log_level_from_name("Info"), std::nullopt);
    EXPECT_EQ(log_level_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace mc::telemetry
