// SPDX-License-Identifier: Apache-2.0
// The suite gist-probes on a real forward pass, with a model of random weights and a compressor of
// one training step.
#include "eval/gist_probes/gist_probes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "gistnet/training/train_gistnet.h"
#include "tests/eval/fake_scorer.h"
#include "tests/support/tiny_model.h"

namespace mc::eval {
namespace {

class GistProbesOnATinyModel : public testing::Test {
  protected:
    GistProbesOnATinyModel() {
        lm::test::TinyShape shape;
        shape.context_length = 2048;
        model_ = lm::test::make_tiny_model(shape);
        options_.documents = {folder_.write("a.txt", printable_text(1)),
                              folder_.write("b.txt", printable_text(2))};
        options_.output = folder_.path() / "out";
        options_.windows_per_document = 3;
        options_.encoders = {"kv-last"};
    }

    std::string trained_weights() {
        gistnet::TrainOptions training;
        training.documents = {folder_.write("train.txt", printable_text(3))};
        training.output = folder_.path() / "trained";
        training.steps = 1;
        training.context_blocks = 4;
        training.cases_per_step = 2;
        training.pooling_queries = 2;
        SimulatedClock clock;
        const auto report = gistnet::train_gistnet(*model_, training, clock, {}, nullptr);
        EXPECT_TRUE(report) << report.error().to_string();
        return report ? report->weights_path.string() : "";
    }

    nlohmann::json results() const {
        return nlohmann::json::parse(folder_.read("out/results.json"));
    }

    TestFolder folder_;
    std::unique_ptr<lm::BaseModel> model_;
    GistProbeOptions options_;
};

TEST_F(GistProbesOnATinyModel, RunLeavesNumbersPlotsAndEventsOfEveryProbe) {
    options_.encoders = {"kv-last", trained_weights()};
    const auto report = run_gist_probes(*model_, options_, {}, nullptr);
    ASSERT_TRUE(report) << report.error().to_string();
    const nlohmann::json found = results();
    for (const std::string& task :
         {std::string("gist-probes"), "gist-probes/" + options_.documents[0].string()}) {
        ASSERT_TRUE(found["results"].contains(task)) << task;
        for (const char* key :
             {"nll@all,none", "probability@first4,full", "probability@block8,gistnet",
              "nll@quintile5,shuffled-gistnet", "probability@position32,kv-last"})
            EXPECT_TRUE(found["results"][task].contains(key)) << key;
    }
    for (const char* encoder : {"kv-last", "gistnet"}) {
        EXPECT_EQ(found["geometry"][encoder]["gists"], 2 * 3 * 8);
        const nlohmann::json& layers = found["geometry"][encoder]["layers"];
        ASSERT_EQ(layers.size(), 2U);
        for (const char* part : {"keys", "values"}) {
            EXPECT_GT(layers[1][part]["effective_rank"], 1);
            EXPECT_LE(layers[1][part]["effective_rank"], 16);  // 2 heads of 8
        }
    }
    EXPECT_FALSE(found["pooling"].contains("kv-last"));
    const nlohmann::json& pooling = found["pooling"]["gistnet"]["layers"];
    ASSERT_EQ(pooling.size(), 2U);
    EXPECT_GT(pooling[0]["entropy"][1], 0);
    EXPECT_LE(pooling[0]["entropy"][1], std::log(32.0) + 1e-6);
    for (const Path& path : report->plot_paths) {
        const std::string svg = folder_.read(Path("out") / path.filename());
        EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n")) << path;
        EXPECT_EQ(svg.find("nan"), std::string::npos) << path;
    }
    EXPECT_EQ(report->plot_paths.size(), 9U);
    const std::string events = folder_.read("out/events.out.tfevents.0.megacontext");
    for (const char* tag : {"probability-by-position/gistnet", "effective-rank/kv-last keys",
                            "pooling-entropy/gistnet query 2"})
        EXPECT_NE(events.find(tag), std::string::npos) << tag;
    EXPECT_EQ(report->table, folder_.read("out/table.md"));
    EXPECT_NE(report->table.find("## Pooling queries of gistnet"), std::string::npos);
}

TEST_F(GistProbesOnATinyModel, EqualRunsLeaveEqualFiles) {
    ASSERT_TRUE(run_gist_probes(*model_, options_, {}, nullptr));
    const std::string tokens = folder_.read("out/tokens.jsonl");
    const std::string results = folder_.read("out/results.json");
    ASSERT_TRUE(run_gist_probes(*model_, options_, {}, nullptr));  // starts over
    EXPECT_EQ(folder_.read("out/tokens.jsonl"), tokens);
    EXPECT_EQ(folder_.read("out/results.json"), results);
    options_.seed = 2;
    EXPECT_EQ(run_gist_probes(*model_, options_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);  // another run's folder
}

TEST_F(GistProbesOnATinyModel, AnInterruptLeavesNoResults) {
    std::atomic<bool> cancelled = false;
    const auto stop = [&](const SuiteProgress&) { cancelled = true; };
    EXPECT_EQ(run_gist_probes(*model_, options_, stop, &cancelled).error().code(),
              ErrorCode::kCancelled);
    EXPECT_FALSE(std::filesystem::exists(options_.output / "results.json"));
}

}  // namespace
}  // namespace mc::eval
