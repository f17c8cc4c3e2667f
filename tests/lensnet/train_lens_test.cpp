// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/train_lens.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lensnet/lens_file.h"
#include "tests/lensnet/lens_fixture.h"
#include "tests/support/thread_ranks.h"

namespace mc::lensnet {
namespace {

class TrainLens : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = Path(testing::TempDir()) / "train_lens_test";
        std::filesystem::create_directories(folder_);
        options_.output = folder_ / "lens.safetensors";
        options_.hidden = 4;
        options_.steps = 150;
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Path write_labels(const std::string& name, const std::string& model_hash,
                      const std::vector<LabelledQuestion>& questions,
                      const std::string& tail = "") const {
        const Path path = folder_ / name;
        std::ofstream file(path);
        file << R"({"configuration":{"task":"lens-labels","model":"tiny","model_hash":")"
             << model_hash << R"(","embedder_hash":"ee"}})"
             << "\n";
        for (const LabelledQuestion& question : questions) file << to_line(question) << "\n";
        file << tail;
        return path;
    }

    Path folder_;
    LensTrainOptions options_;
};

TEST_F(TrainLens, SavesALensThatFindsTheFact) {
    options_.labels = {write_labels("a.jsonl", "aa", made_questions(60, 1), "{\"torn")};
    const auto report = train_lens(options_, {}, nullptr);
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_EQ(report->questions, 60U);
    EXPECT_EQ(report->reliable, 45U);
    EXPECT_GT(report->regression.fact_first, 0.95);
    EXPECT_GT(report->regression.captured_share, 0.8);
    EXPECT_LT(report->rule.fact_first, 0.5);
    const auto file = lm::SafetensorsFile::open(report->weights_path);
    ASSERT_TRUE(file);
    const auto lens = parse_lens(**file);
    ASSERT_TRUE(lens) << lens.error().to_string();
    EXPECT_EQ(lens->facts().base_model_hash, "aa");
    EXPECT_EQ(lens->facts().embedder_hash, "ee");
    EXPECT_EQ(lens->layers().size(), report->net_is_better ? 2U : 1U);
}

TEST_F(TrainLens, SaysWhichSignalsALensCanDoWithout) {
    options_.labels = {write_labels("a.jsonl", "aa", made_questions(40, 1))};
    options_.without = {Signal::kQuestionLikelihood};
    ASSERT_TRUE(train_lens(options_, {}, nullptr));
    const auto file = lm::SafetensorsFile::open(options_.output);
    const auto lens = parse_lens(**file);
    ASSERT_TRUE(lens);
    EXPECT_FALSE(lens->facts().reads_passages);
    EXPECT_TRUE(lens->facts().reads_gists);
}

TEST_F(TrainLens, AnyNumberOfRanksEndsWithTheSameBits) {
    options_.labels = {write_labels("a.jsonl", "aa", made_questions(40, 1))};
    ASSERT_TRUE(train_lens(options_, {}, nullptr));
    const std::string alone = read_file(options_.output, 1 << 20).value();
    for (const int world : {2, 3}) {
        ranks::test::run_ranks(world, [&](ranks::RankGroup& group) {
            LensTrainOptions shared = options_;
            shared.output = folder_ / ("lens-" + std::to_string(world));
            shared.group = &group;
            const auto report = train_lens(shared, {}, nullptr);
            ASSERT_TRUE(report) << report.error().to_string();
            EXPECT_EQ(report->weights_path.empty(), group.rank() != 0);
        });
        EXPECT_EQ(read_file(folder_ / ("lens-" + std::to_string(world)), 1 << 20).value(), alone)
            << world;
    }
}

TEST_F(TrainLens, RefusesWhatItCannotLearnFrom) {
    options_.labels = {folder_ / "missing.jsonl"};
    EXPECT_FALSE(train_lens(options_, {}, nullptr));
    options_.labels = {write_labels("a.jsonl", "aa", made_questions(8, 1)),
                       write_labels("b.jsonl", "bb", made_questions(8, 2))};
    auto refused = train_lens(options_, {}, nullptr);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    options_.labels = {write_labels("c.jsonl", "aa", {}, "no label\n")};
    refused = train_lens(options_, {}, nullptr);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(refused.error().to_string().find("line 2"), std::string::npos);
    options_.labels = {write_labels("d.jsonl", "aa", {})};
    EXPECT_FALSE(train_lens(options_, {}, nullptr));
    EXPECT_FALSE(std::filesystem::exists(options_.output));
}

}  // namespace
}  // namespace mc::lensnet
