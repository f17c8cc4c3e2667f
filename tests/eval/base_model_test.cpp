// SPDX-License-Identifier: Apache-2.0
// delta-nll on a real forward pass, with a model of random weights: what must hold whatever the
// weights are.
#include <gtest/gtest.h>

#include <algorithm>

#include "eval/base_model/base_model_scorer.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/measure/score_log.h"
#include "tests/eval/fake_scorer.h"
#include "tests/support/tiny_model.h"

namespace mc::eval {
namespace {

class DeltaNllOnATinyModel : public testing::Test {
  protected:
    static DeltaNllOptions options(const TestFolder& folder) {
        DeltaNllOptions options;
        options.documents = {folder.write("a.txt", printable_text(1)),
                             folder.write("b.txt", printable_text(2))};
        options.output = folder.path() / "out";
        options.windows_per_document = 10;
        options.context_tokens = 64;
        options.horizon_tokens = 40;
        return options;
    }

    Result<DeltaNllReport> measure(const DeltaNllOptions& options,
                                   const SuiteProgressCallback& progress = {},
                                   const std::atomic<bool>* cancelled = nullptr) const {
        MC_ASSIGN(const auto scorer, BaseModelScorer::make(*model_, options.encoders));
        return run_delta_nll(*scorer, options, progress, cancelled);
    }

    std::unique_ptr<lm::BaseModel> model_ = lm::test::make_tiny_model();
    TestFolder folder_;
};

TEST_F(DeltaNllOnATinyModel, FullConditionIsWhatASequenceScoresInOneGo) {
    const DeltaNllOptions options = this->options(folder_);
    ASSERT_TRUE(measure(options));
    const auto scorer = BaseModelScorer::make(*model_, options.encoders);
    const auto protocol = plan_protocol(**scorer, options);
    const DocumentPlan& document = protocol->documents[1];
    const auto log =
        ScoreLog::open(options.output / "tokens.jsonl",
                       configuration_json(options, (*scorer)->facts(), protocol->conditions,
                                          protocol->codecs, protocol->documents));
    ASSERT_TRUE(log) << log.error().to_string();
    std::size_t compared = 0;
    for (const ScoreLine& line : (*log)->lines()) {
        if (line.condition != "full" || line.document != document.name) continue;
        std::vector<TokenId> tokens = {model_->tokenizer().bos()};
        const auto& window = document.windows[line.window];
        tokens.insert(tokens.end(), window.begin(), window.end());
        const auto nll = *model_->new_sequence()->score(tokens);
        ASSERT_EQ(line.nll.size(), 40U);
        ++compared;
        for (std::size_t t = 1; t < 40; ++t)
            EXPECT_NEAR(line.nll[t], static_cast<double>(nll[1 + 64 + t]), 2e-4);
    }
    EXPECT_EQ(compared, 10U);
}

TEST_F(DeltaNllOnATinyModel, InterruptedRunEndsWithTheSameFiles) {
    const DeltaNllOptions options = this->options(folder_);
    ASSERT_TRUE(measure(options));
    const std::string tokens = folder_.read("out/tokens.jsonl");
    const std::string results = folder_.read("out/results.json");
    std::filesystem::remove_all(options.output);
    std::atomic<bool> cancelled = false;
    const auto stop = [&](const SuiteProgress&) { cancelled = true; };
    EXPECT_EQ(measure(options, stop, &cancelled).error().code(), ErrorCode::kCancelled);
    EXPECT_LT(folder_.read("out/tokens.jsonl").size(), tokens.size());
    ASSERT_TRUE(measure(options));
    EXPECT_EQ(folder_.read("out/tokens.jsonl"), tokens);
    EXPECT_EQ(folder_.read("out/results.json"), results);
}

TEST_F(DeltaNllOnATinyModel, EveryConditionChangesTheModelsAnswer) {
    const auto report = measure(options(folder_));
    ASSERT_TRUE(report) << report.error().to_string();
    std::vector<double> nll;
    for (const ConditionMetrics& row : report->groups.front().rows)
        if (row.slice == "32") nll.push_back(row.nll.value);
    EXPECT_EQ(nll.size(), 15U);  // last-8, last-16, last-32: the context has 64 tokens
    std::sort(nll.begin(), nll.end());
    EXPECT_EQ(std::adjacent_find(nll.begin(), nll.end()), nll.end());
}

TEST_F(DeltaNllOnATinyModel, UnknownEncoderIsAUsageError) {
    DeltaNllOptions options = this->options(folder_);
    options.encoders = {"kv-best"};
    EXPECT_EQ(measure(options).error().code(), ErrorCode::kUsage);
}

TEST_F(DeltaNllOnATinyModel, OracleCutOffInTheLastBatchGoesOnToTheSameFiles) {
    DeltaNllOptions options = this->options(folder_);
    options.oracle_windows = 9;
    options.codecs = {};
    ASSERT_TRUE(measure(options));
    const std::string whole = folder_.read("out/tokens.jsonl");
    const std::string results = folder_.read("out/results.json");
    folder_.write("out/tokens.jsonl", whole.substr(0, whole.size() - 1));
    const auto report = measure(options);
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_EQ(folder_.read("out/tokens.jsonl"), whole);
    EXPECT_EQ(folder_.read("out/results.json"), results);
}

}  // namespace
}  // namespace mc::eval
