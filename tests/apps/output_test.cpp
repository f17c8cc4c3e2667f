// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/output.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "apps/terminal/last_resort.h"

namespace mc::apps {
namespace {

struct Streams {
    std::ostringstream results;
    std::ostringstream messages;
};

TEST(Output, AnErrorIsOneLineWhateverItsMessageHolds) {
    Streams streams;
    Output out(streams.results, streams.messages, {});
    out.error(Error(ErrorCode::kInvalidInput, "no file a\nb\x1b[31m"));
    EXPECT_EQ(streams.messages.str(), "megacontext: error: no file a b\uFFFD[31m\n");
    EXPECT_EQ(streams.results.str(), "");
}

TEST(Output, AnErrorIsOneJsonObjectForMachines) {
    Streams streams;
    OutputStyle style;
    style.json = true;
    Output out(streams.results, streams.messages, style);
    Error error(ErrorCode::kOverBudget, "8 entries are too few");
    out.error(std::move(error).add_context("asking \"who\"\n\xFF"));
    const std::string line = streams.messages.str();
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const Json parsed = Json::parse(line);
    EXPECT_EQ(parsed.at("error").at("code"), "over_budget");
    EXPECT_EQ(parsed.at("error").at("message"), "asking \"who\"\n\uFFFD: 8 entries are too few");
}

TEST(Output, WhatNoFenceCaughtIsAnErrorLineAndAnExitStatusOfItsOwn) {
    Streams streams;
    Output out(streams.results, streams.messages, {});
    EXPECT_EQ(run_with_last_resort(out, [] { return 3; }), 3);
    EXPECT_EQ(streams.messages.str(), "");
    EXPECT_EQ(run_with_last_resort(out, []() -> int { throw std::runtime_error("a\nb"); }), 70);
    EXPECT_EQ(streams.messages.str(), "megacontext: error: a fault of megacontext itself: a b\n");
    out.set_json(true);
    streams.messages.str("");
    EXPECT_EQ(run_with_last_resort(out, []() -> int { throw 7; }), 70);
    EXPECT_EQ(Json::parse(streams.messages.str()).at("error").at("code"), "internal");
}

TEST(Output, NotANumberIsNull) {
    Streams streams;
    Output out(streams.results, streams.messages, {});
    out.json({{"mean_nll", std::nan("")}, {"score", 0.5}});
    EXPECT_EQ(streams.results.str(), "{\"mean_nll\":null,\"score\":0.5}\n");
}

TEST(Output, ResultsThatCannotBeWrittenAreAnError) {
    Streams streams;
    Output out(streams.results, streams.messages, {});
    out.text("fine");
    EXPECT_TRUE(out.finish().has_value());
    streams.results.setstate(std::ios::badbit);
    EXPECT_EQ(out.finish().error().code(), ErrorCode::kIo);
}

TEST(Output, ColumnsAreAsWideAsTheirWidestCell) {
    Streams streams;
    Output out(streams.results, streams.messages, {});
    Table table({{"name"}, {"tokens", Table::Align::kRight}, {"state"}});
    table.add_row({"é", "1,000", "complete"});
    table.add_row({"longer", "7", ""});
    table.print(out);
    EXPECT_EQ(streams.results.str(),
              "name    tokens  state\n"
              "é        1,000  complete\n"
              "longer       7\n");
}

}  // namespace
}  // namespace mc::apps
