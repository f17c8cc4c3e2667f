// SPDX-License-Identifier: Apache-2.0
// A run that was stopped anywhere ends with the files of an uninterrupted one.
#include <gtest/gtest.h>

#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

struct Files {
    std::string tokens;
    std::string results;
    std::string table;
    std::string plots;

    bool operator==(const Files&) const = default;
};

Files files_of(const TestFolder& folder) {
    return {
        folder.read("out/tokens.jsonl"), folder.read("out/results.json"),
        folder.read("out/table.md"),
        folder.read("out/Rs.svg") + folder.read("out/R-oracle.svg") + folder.read("out/nll.svg")};
}

class ResumeTest : public testing::Test {
  protected:
    void SetUp() override {
        options_ = small_options(folder_);
        options_.oracle_windows = 9;  // ends within the second batch
        FakeScorer scorer;
        ASSERT_TRUE(run_delta_nll(scorer, options_, {}, nullptr));
        whole_ = files_of(folder_);
        whole_calls_ = scorer.calls;
    }

    // As it was before any run, but for the log's first bytes.
    void leave_log_prefix(std::size_t size) const {
        std::filesystem::remove_all(options_.output);
        std::filesystem::create_directories(options_.output);
        folder_.write("out/tokens.jsonl", whole_.tokens.substr(0, size));
    }

    TestFolder folder_;
    DeltaNllOptions options_;
    Files whole_;
    std::size_t whole_calls_ = 0;
};

TEST_F(ResumeTest, CutAnywhereTheRunGoesOnToTheSameFiles) {
    const std::size_t step = whole_.tokens.size() / 40 + 1;
    for (std::size_t size = 0; size < whole_.tokens.size(); size += step) {
        leave_log_prefix(size);
        FakeScorer scorer;
        const auto report = run_delta_nll(scorer, options_, {}, nullptr);
        ASSERT_TRUE(report) << size << ": " << report.error().to_string();
        EXPECT_EQ(files_of(folder_), whole_) << size;
    }
}

TEST_F(ResumeTest, BatchesThatAreThereAreNotScoredAgain) {
    leave_log_prefix(whole_.tokens.size() - 1);  // only the last batch is torn
    FakeScorer scorer;
    ASSERT_TRUE(run_delta_nll(scorer, options_, {}, nullptr));
    EXPECT_EQ(scorer.calls, whole_calls_ / 4);  // one of four batches

    FakeScorer idle;
    ASSERT_TRUE(run_delta_nll(idle, options_, {}, nullptr));
    EXPECT_EQ(idle.calls, 0U);
    EXPECT_TRUE(idle.encoded.empty());
    EXPECT_EQ(files_of(folder_), whole_);
}

TEST_F(ResumeTest, AFailingModelLeavesWholeBatchesAndTheNextRunGoesOn) {
    leave_log_prefix(0);
    FakeScorer scorer;
    scorer.fail_at_call = whole_calls_ / 4 + 3;  // in the second batch
    const auto report = run_delta_nll(scorer, options_, {}, nullptr);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kModel);
    EXPECT_FALSE(std::filesystem::exists(options_.output / "results.json"));
    FakeScorer again;
    ASSERT_TRUE(run_delta_nll(again, options_, {}, nullptr));
    EXPECT_EQ(again.calls, whole_calls_ * 3 / 4);
    EXPECT_EQ(files_of(folder_), whole_);
}

TEST_F(ResumeTest, CancelledAfterABatchItGoesOnFromThere) {
    leave_log_prefix(0);
    FakeScorer scorer;
    std::atomic<bool> cancelled = false;
    const auto stop_at_once = [&](const SuiteProgress& progress) {
        EXPECT_EQ(progress.windows_done, 8U);
        EXPECT_EQ(progress.windows_total, 22U);
        cancelled = true;
    };
    const auto report = run_delta_nll(scorer, options_, stop_at_once, &cancelled);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
    EXPECT_EQ(scorer.calls, whole_calls_ / 4);
    FakeScorer again;
    ASSERT_TRUE(run_delta_nll(again, options_, {}, nullptr));
    EXPECT_EQ(files_of(folder_), whole_);
}

TEST_F(ResumeTest, ProgressReachesItsTotalAlsoWhenNothingIsLeftToDo) {
    FakeScorer scorer;
    SuiteProgress last;
    const auto watch = [&](const SuiteProgress& progress) { last = progress; };
    ASSERT_TRUE(run_delta_nll(scorer, options_, watch, nullptr));
    EXPECT_EQ(last.windows_done, 22U);
    EXPECT_EQ(last.windows_total, 22U);
}

TEST_F(ResumeTest, AnotherSeedModelEncoderOrDocumentNeedsAnotherOutput) {
    const auto refused = [&](const DeltaNllOptions& options, FakeScorer& scorer) {
        const auto report = run_delta_nll(scorer, options, {}, nullptr);
        return !report && report.error().code() == ErrorCode::kInvalidInput && scorer.calls == 0;
    };
    FakeScorer scorer;
    DeltaNllOptions options = options_;
    options.seed = 9;
    EXPECT_TRUE(refused(options, scorer));
    options = options_;
    options.windows_per_document = 10;
    EXPECT_TRUE(refused(options, scorer));
    options = options_;
    options.documents.pop_back();
    EXPECT_TRUE(refused(options, scorer));
    options = options_;
    options.oracle_windows = 8;
    EXPECT_TRUE(refused(options, scorer));
    options = options_;
    options.codecs = {};
    EXPECT_TRUE(refused(options, scorer));
    folder_.write("two.txt", std::string(6001, 'b'));
    EXPECT_TRUE(refused(options_, scorer));
    folder_.write("two.txt", std::string(6000, 'b'));
    FakeScorer other_model;
    other_model.mutable_facts().model_hash = {9, 9};
    EXPECT_TRUE(refused(options_, other_model));
    FakeScorer other_encoder;
    other_encoder.mutable_facts().encoders[0].hash = {9, 9};
    EXPECT_TRUE(refused(options_, other_encoder));
    EXPECT_EQ(files_of(folder_), whole_);
}

TEST_F(ResumeTest, ALineOutOfOrderIsCorruption) {
    const std::size_t header = whole_.tokens.find('\n') + 1;
    const std::size_t second = whole_.tokens.find('\n', header) + 1;
    const std::size_t third = whole_.tokens.find('\n', second) + 1;
    const std::string swapped =
        whole_.tokens.substr(0, header) + whole_.tokens.substr(second, third - second) +
        whole_.tokens.substr(header, second - header) + whole_.tokens.substr(third);
    folder_.write("out/tokens.jsonl", swapped);
    FakeScorer scorer;
    const auto report = run_delta_nll(scorer, options_, {}, nullptr);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruption);
    EXPECT_EQ(folder_.read("out/tokens.jsonl"), swapped);
}

}  // namespace
}  // namespace mc::eval
