// SPDX-License-Identifier: Apache-2.0
// results.json and table.md say what was run and what came out.
#include "eval/delta_nll/run_record.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

class RunRecordTest : public testing::Test {
  protected:
    void SetUp() override {
        options_ = small_options(folder_);
        options_.command_line = "megacontext eval run delta-nll --docs \"a b\"";
        FakeScorer scorer;
        auto report = run_delta_nll(scorer, options_, {}, nullptr);
        ASSERT_TRUE(report) << report.error().to_string();
        report_ = std::move(*report);
        results_ = nlohmann::json::parse(report_.results_json);
    }

    TestFolder folder_;
    DeltaNllOptions options_;
    DeltaNllReport report_;
    nlohmann::json results_;
};

TEST_F(RunRecordTest, FilesHoldWhatTheReportReturns) {
    EXPECT_EQ(folder_.read("out/results.json"), report_.results_json);
    EXPECT_EQ(folder_.read("out/table.md"), report_.table);
    EXPECT_EQ(report_.results_path, options_.output / "results.json");
}

TEST_F(RunRecordTest, ResultsNameMetricConditionAndIntervalPerDocumentAndPooled) {
    const auto& results = results_["results"];
    const std::string first = "delta-nll/" + options_.documents[0].string();
    ASSERT_EQ(results.size(), 3U);
    EXPECT_NEAR(results[first]["Rs@32,kv-last"].get<double>(), 1.0 / 3, 1e-4);
    EXPECT_NEAR(results["delta-nll"]["R@33-96,last-64"].get<double>(), 0.25, 1e-4);
    EXPECT_EQ(results[first]["Rs@32_ci95,kv-last"].size(), 2U);
    EXPECT_TRUE(results["delta-nll"]["Rs@32_ci95,kv-last"][0].is_null());  // two documents
    EXPECT_TRUE(results["delta-nll"]["Rs@32_ci95_within,kv-last"][0].is_number());
    EXPECT_EQ(results["delta-nll"]["documents"], 2);
    EXPECT_FALSE(results[first].contains("Rs@32_ci95_within,kv-last"));
    EXPECT_FALSE(results[first].contains("Rs@32,none"));
    EXPECT_EQ(results_["n-samples"]["delta-nll"]["effective"], 22);
}

TEST_F(RunRecordTest, ConfigurationIsEnoughToRepeatTheRun) {
    const auto& config = results_["config"];
    EXPECT_EQ(config["seed"], options_.seed);
    EXPECT_EQ(config["model_hash"], to_hex(Hash128{1, 2}));
    EXPECT_EQ(config["encoders"][1]["name"], "kv-last");
    EXPECT_EQ(config["encoders"][1]["hash"].get<std::string>().size(), 32U);
    EXPECT_EQ(config["device"], "arithmetic");
    EXPECT_EQ(config["documents"][0]["hash"].get<std::string>().size(), 32U);
    EXPECT_EQ(config["documents"][1]["tokens"], 6000);
    EXPECT_EQ(config["windows_per_document"], 11);
    EXPECT_EQ(results_["command_line"], options_.command_line);
    EXPECT_TRUE(results_.contains("git_hash"));
}

TEST_F(RunRecordTest, TableHasOneSectionPerGroupAndRsOnlyForGists) {
    EXPECT_NE(report_.table.find("## one.txt (11 windows)"), std::string::npos);
    EXPECT_NE(report_.table.find("## pooled (22 windows)"), std::string::npos);
    EXPECT_NE(report_.table.find("There is no interval over 2 documents"), std::string::npos);
    EXPECT_NE(report_.table.find("\n| · windows within documents | | | ["), std::string::npos);
    const std::size_t specific = report_.table.find("| specific recovery |");
    const std::size_t plain = report_.table.find("| recovery |");
    ASSERT_LT(specific, plain);
    const std::string headline = report_.table.substr(specific, plain - specific);
    EXPECT_NE(headline.find("| kv-last | 8 | 0.2 | 0.333 [0.333, 0.333] |"), std::string::npos)
        << headline;
    EXPECT_EQ(headline.find("last-8"), std::string::npos);
}

TEST_F(RunRecordTest, BytesPerTokenAreOfTheCodecAndOnlyOfGists) {
    // The fake's gists are four numbers for 32 tokens; int8 keeps a scale of two bytes a vector.
    const std::map<std::string, nlohmann::json> expected = {{"kv-last", 8.0 / 32},
                                                            {"kv-last:int8", (4 + 2 * 2) / 32.0},
                                                            {"last-64", nullptr},
                                                            {"shuffled-kv-last", nullptr},
                                                            {"full", nullptr}};
    std::size_t found = 0;
    for (const auto& condition : results_["conditions"]) {
        const auto one = expected.find(condition["name"]);
        if (one == expected.end()) continue;
        ++found;
        EXPECT_EQ(condition["bytes_per_token"], one->second) << one->first;
    }
    EXPECT_EQ(found, expected.size());
}

TEST_F(RunRecordTest, RawTokensPerGistAreInTheRecordAndTheTable) {
    const auto& results = results_["results"]["delta-nll"];
    EXPECT_NEAR(results["raw_per_gist@64,kv-last"].get<double>(), 128.0 / 8,
                1e-3);  // R of both: .5
    EXPECT_FALSE(results.contains("raw_per_gist@64,last-64"));
    EXPECT_NE(report_.table.find("| raw tokens per gist |"), std::string::npos);
}

TEST_F(RunRecordTest, WithoutTrainingDocumentsNoOverlapIsClaimed) {
    EXPECT_TRUE(results_["training_overlap"].is_null());
}

TEST(RunRecord, TrainingDocumentsAndTheirOverlapAreRecorded) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    // 100 tokens of the second document: 51 runs of 50, of the 5,951 that it has.
    options.train_documents = {folder.write("c.txt", std::string(900, 'c')),
                               folder.write("b.txt", std::string(100, 'b'))};
    FakeScorer scorer;
    const auto report = run_delta_nll(scorer, options, {}, nullptr);
    ASSERT_TRUE(report) << report.error().to_string();
    const auto check = nlohmann::json::parse(report->results_json)["training_overlap"];
    EXPECT_EQ(check["train_documents"].size(), 2U);
    EXPECT_EQ(check["train_documents"][0]["tokens"], 900);
    EXPECT_EQ(check["overlaps"][0]["shared"], 0);
    EXPECT_EQ(check["overlaps"][1]["shared"], 51);
    EXPECT_EQ(check["overlaps"][1]["grams"], 5951);
    EXPECT_NEAR(check["overlaps"][1]["share"].get<double>(), 51.0 / 5951, 1e-6);
}

}  // namespace
}  // namespace mc::eval
