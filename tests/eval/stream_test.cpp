// SPDX-License-Identifier: Apache-2.0
// The suite `stream`: what its table says of known readings, and a run that goes on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/stream/stream_report.h"
#include "eval/stream/stream_suite.h"
#include "gistnet/base_model_gist_encoder.h"
#include "tests/support/tiny_model.h"

namespace mc::eval {
namespace {

using Json = nlohmann::json;

StreamReading reading(const std::string& row, std::uint64_t budget, std::uint64_t chunk,
                      double nll) {
    StreamReading made{"book", row, budget, chunk * 512, budget, 16, {}, {}};
    made.nll.assign(kStreamChunkBlocks, nll);
    made.ms.assign(kStreamChunkBlocks, 2);
    return made;
}

const StreamCell& cell_of(std::span<const StreamCell> cells, const std::string& row) {
    const auto found = std::ranges::find(cells, row, &StreamCell::row);
    MC_CHECK(found != cells.end(), row);
    return *found;
}

TEST(StreamReport, differences_are_of_the_same_blocks) {
    std::vector<StreamReading> readings;
    for (std::uint64_t chunk = 0; chunk < 40; ++chunk) {
        // The text gets harder, and `anew` reads its hardest block alone.
        const double hard = 2 + .1 * static_cast<double>(chunk);
        readings.push_back(reading("recent", 512, chunk, hard));
        readings.push_back(reading("gists", 512, chunk, hard - .25));
        readings.push_back(reading("whole", 2048, chunk, hard - .5));
        StreamReading anew = reading("anew", 512, chunk, std::nan(""));
        anew.nll.back() = hard + .125;
        readings.push_back(anew);
    }
    const auto cells = measure_stream(readings, 16 * 512, 1);
    ASSERT_EQ(cells.size(), 4U);
    EXPECT_NEAR(cell_of(cells, "recent").nll.value, 2 + .1 * 27.5, 1e-9);
    EXPECT_NEAR(cell_of(cells, "gists").less_recent.value, -.25, 1e-9);
    EXPECT_NEAR(cell_of(cells, "gists").less_recent.low, -.25, 1e-9);
    EXPECT_NEAR(cell_of(cells, "gists").less_whole.value, .25, 1e-9);
    EXPECT_NEAR(cell_of(cells, "anew").less_recent.value, .125, 1e-9);
    EXPECT_EQ(cell_of(cells, "anew").blocks, 24U);
    EXPECT_TRUE(std::isnan(cell_of(cells, "recent").less_recent.value));
    EXPECT_TRUE(std::isnan(cell_of(cells, "whole").less_whole.value));
    EXPECT_NEAR(cell_of(cells, "gists").edits_a_block, 1, 1e-9);
}

TEST(StreamReport, times_are_of_the_beginning_and_of_the_end) {
    std::vector<StreamReading> readings;
    for (std::uint64_t chunk = 0; chunk < 64; ++chunk) {
        readings.push_back(reading("gists", 512, chunk, 2));
        readings.back().ms.assign(kStreamChunkBlocks, static_cast<double>(chunk));
    }
    const auto cells = measure_stream(readings, 0, 1);
    EXPECT_NEAR(cells.front().ms_p50_early, 7, 1);
    EXPECT_NEAR(cells.front().ms_p50_late, 55, 1);
    EXPECT_LE(cells.front().ms_p50_late, cells.front().ms_p99_late);
}

TEST(StreamReport, a_line_is_read_as_it_was_written_and_others_are_named) {
    StreamReading made = reading("anew", 512, 3, 2.5);
    made.nll[4] = std::nan("");
    const auto back = parse_stream_reading(to_line(made));
    ASSERT_TRUE(back) << back.error().to_string();
    EXPECT_EQ(back->begin, 3U * 512);
    EXPECT_TRUE(std::isnan(back->nll[4]));
    EXPECT_EQ(back->nll[5], 2.5);
    for (const std::string line : {"", "{}", "[1]", "null", R"({"document":1})"})
        EXPECT_EQ(parse_stream_reading(line).error().code(), ErrorCode::kCorruption) << line;
    const std::string whole = to_line(made);
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(parse_stream_reading(whole.substr(0, length)));
}

class StreamRun : public testing::Test {
  protected:
    StreamRun() {
        folder_ = Path(testing::TempDir()) / ("stream-suite-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        std::string text;
        Rng rng(5);
        while (text.size() < 16'000) text += "word" + std::to_string(rng.below(50)) + " ";
        EXPECT_TRUE(replace_file(folder_ / "text", std::as_bytes(std::span(text))));
        options_.documents = {folder_ / "text"};
        options_.budgets = {160};
        options_.tokens = 2048 + 4 * 512;
        options_.rows = {"gists", "recent", "anew", "whole"};
        options_.command_line = "stream";
    }

    ~StreamRun() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    static lm::test::TinyShape shape() {
        lm::test::TinyShape shape;
        shape.context_length = 2048;
        return shape;
    }

    Result<SuiteReport> run(const std::string& output, std::uint64_t stop_at = 0) {
        options_.output = folder_ / output;
        std::atomic<bool> cancelled = false;
        return run_stream_suite(
            *model_, *encoder_, clock_, options_,
            [&](std::uint64_t done, std::uint64_t) { cancelled = stop_at > 0 && done >= stop_at; },
            &cancelled);
    }

    static Json results(const SuiteReport& report) {
        return Json::parse(report.results_json).at("results");
    }

    Path folder_;
    SimulatedClock clock_;
    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model(shape());
    std::unique_ptr<GistEncoder> encoder_ =
        gistnet::make_gist_encoder(*model_, {"kv-last", 0, "none"}).value();
    StreamSuiteOptions options_;
};

TEST_F(StreamRun, reads_every_row_within_its_budget_and_goes_on_where_it_was_stopped) {
    const auto whole = run("whole");
    ASSERT_TRUE(whole) << whole.error().to_string();
    const Json cells = results(*whole);
    for (const char* row : {"gists", "recent"}) {
        EXPECT_EQ(cells.at("stream/160").at(row).at("blocks"), 64) << row;
        EXPECT_LE(cells.at("stream/160").at(row).at("entries"), 160) << row;
    }
    EXPECT_EQ(cells.at("stream/160").at("anew").at("blocks"), 4);
    EXPECT_EQ(cells.at("stream/2048").at("whole").at("blocks"), 64);

    for (const std::uint64_t stop_at : {1024U, 5120U, 9000U}) {
        const std::string output = "part-" + std::to_string(stop_at);
        const auto part = run(output, stop_at);
        ASSERT_FALSE(part);
        EXPECT_EQ(part.error().code(), ErrorCode::kCancelled);
        const auto rest = run(output);
        ASSERT_TRUE(rest) << rest.error().to_string();
        EXPECT_EQ(results(*rest), cells) << "stopped at " << stop_at;
    }
}

TEST_F(StreamRun, a_row_that_is_none_and_a_text_that_is_too_short_are_refused) {
    options_.rows = {"gists", "newest"};
    EXPECT_EQ(run("rows").error().code(), ErrorCode::kUsage);
    options_.rows = {"gists"};
    options_.tokens = 2048;
    const auto made = run("short");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(made.error().to_string().find("2560 are needed"), std::string::npos)
        << made.error().to_string();
}

}  // namespace
}  // namespace mc::eval
