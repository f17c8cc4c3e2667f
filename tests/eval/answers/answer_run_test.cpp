// SPDX-License-Identifier: Apache-2.0
// Laws of a whole run, with a reader that knows exactly what its prompt says.
#include "eval/answers/answer_run.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/answers/families.h"
#include "tests/eval/answers/fake_program.h"
#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

using Json = nlohmann::json;

class AnswersRun : public testing::Test {
  protected:
    AnswersRun() {
        std::string text;
        for (int i = 0; i < 600; ++i)
            text +=
                "And then it was " + std::string(static_cast<std::size_t>(1 + i % 40), 'q') + ". ";
        options_.documents = {folder_.write("book.txt", text)};
        options_.output = folder_.path() / "out";
        options_.families = {"single-fact", "one-sentence"};
        options_.lengths = {2000, 5000};
        options_.sentence_counts = {50};
        options_.items = 6;
        options_.rows.rows = {"nothing", "fact", "raw", "plain", "window"};
        options_.rows.budgets = {128};
    }

    Result<SuiteReport> run(const AnswersProgressCallback& progress = {},
                            const std::atomic<bool>* cancelled = nullptr) {
        return run_answers(program_, FakeScorer().facts(), options_, progress, cancelled);
    }

    Json results(const Result<SuiteReport>& report) const {
        return Json::parse(report->results_json);
    }

    TestFolder folder_;
    test::FakeProgram program_;
    AnswersOptions options_;
};

TEST_F(AnswersRun, ARowIsAsRightAsWhatItShows) {
    const auto report = run();
    ASSERT_TRUE(report) << report.error().to_string();
    const Json found = results(report)["results"]["answers/single-fact/2k"];
    EXPECT_EQ(found["accuracy,nothing"], 0.0);
    EXPECT_EQ(found["accuracy,fact"], 1.0);
    EXPECT_EQ(found["exact,fact"], 1.0);
    EXPECT_EQ(found["accuracy,sentences/bm25:1"], 1.0);
    EXPECT_EQ(found["recall@1,sentences/bm25:1"], 1.0);
    EXPECT_EQ(found["accuracy,window:hybrid:128"], 0.0);
    EXPECT_EQ(found["accuracy_less_plain,window:hybrid:128"], -1.0);
    EXPECT_EQ(found["readings,raw"], 6);
    EXPECT_FALSE(results(report)["results"]["answers/single-fact/5k"].contains("readings,raw"));
    EXPECT_TRUE(results(report)["results"].contains("answers/one-sentence/50 documents"));
    EXPECT_NE(report->table.find("| `window:hybrid:128` | 0.00"), std::string::npos)
        << report->table;
}

TEST_F(AnswersRun, EqualPromptsAreReadOnce) {
    ASSERT_TRUE(run());
    // Of a memory, six passage rows show the same fact, and raw and window show nothing.
    const std::size_t memoryless = 2 * 6 * 2;
    EXPECT_EQ(program_.prompts().size(), memoryless + 3 * 6 * 2);
}

TEST_F(AnswersRun, AKilledRunGoesOnAndSaysTheSame) {
    const auto whole = run();
    ASSERT_TRUE(whole);
    const std::string answers = folder_.read("out/answers.jsonl");
    std::filesystem::remove_all(options_.output);
    std::atomic<bool> cancelled = false;
    std::size_t seen = 0;
    const auto stop = [&](const AnswersProgress&) { cancelled = ++seen == 30; };
    EXPECT_EQ(run(stop, &cancelled).error().code(), ErrorCode::kCancelled);
    EXPECT_LT(folder_.read("out/answers.jsonl").size(), answers.size());
    const auto rest = run();
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->results_json, whole->results_json);
    EXPECT_EQ(folder_.read("out/answers.jsonl"), answers);
}

TEST_F(AnswersRun, AFinishedRunReadsNothingAgainAndTakesMoreRows) {
    ASSERT_TRUE(run());
    program_.prompts().clear();
    program_.stores.clear();
    AnswersProgress last;
    ASSERT_TRUE(run());
    EXPECT_TRUE(program_.prompts().empty());
    EXPECT_TRUE(program_.stores.empty());
    options_.rows.budgets = {128, 256};
    ASSERT_TRUE(run([&](const AnswersProgress& state) { last = state; }));
    EXPECT_EQ(program_.stores.size(), 3U);
    EXPECT_EQ(program_.prompts().size(), 3U * 6U);
    EXPECT_EQ(last.readings_done, last.readings_total);
}

TEST_F(AnswersRun, AnotherSeedOrDocumentIsRefusedInTheSameFolder) {
    ASSERT_TRUE(run());
    options_.seed = 2;
    const auto other = run();
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(other.error().message().find("seed"), std::string::npos);
}

TEST_F(AnswersRun, OptionsThatCannotBeAreRefusedBeforeAnyWork) {
    const auto refused = [&](AnswersOptions options, const std::string& part) {
        const auto report = run_answers(program_, FakeScorer().facts(), options, {}, nullptr);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::kUsage);
        EXPECT_NE(report.error().message().find(part), std::string::npos)
            << report.error().message();
        EXPECT_TRUE(program_.prompts().empty());
    };
    AnswersOptions options = options_;
    options.families = {"riddles"};
    refused(options, "riddles");
    options = options_;
    options.rows.rows = {"everything"};
    refused(options, "everything");
    options = options_;
    options.items = 0;
    refused(options, "items");
}

TEST_F(AnswersRun, CellsWhoseFactsDoNotFitAreSaid) {
    options_.families = {"key-value-128"};
    options_.lengths = {2000};
    const auto report = run();
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_NE(report->table.find("key-value-128/2k"), std::string::npos);
    EXPECT_EQ(results(report)["skipped"][0], "key-value-128/2k");
}

TEST_F(AnswersRun, ItemsAreLeftForOtherPrograms) {
    ASSERT_TRUE(run());
    const std::string items = folder_.read("out/items.jsonl");
    EXPECT_EQ(std::ranges::count(items, '\n'), 3 * 6);
    const Json first = Json::parse(items.substr(0, items.find('\n')));
    for (const char* name : {"question", "candidates", "right", "facts", "place", "memory"})
        EXPECT_TRUE(first.contains(name)) << name;
}

}  // namespace
}  // namespace mc::eval
