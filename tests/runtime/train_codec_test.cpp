// SPDX-License-Identifier: Apache-2.0
// `train codec` on a tiny model: the file fits model and encoder, repeats itself, and is not there
// after a failure.
#include "runtime/train_codec.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/rng.h"
#include "gistnet/base_model_gist_encoder.h"
#include "storage/codec/codebook_file.h"
#include "tests/support/tiny_model.h"

namespace mc::runtime {
namespace {

class TrainCodecTest : public testing::Test {
  protected:
    TrainCodecTest() {
        lm::test::TinyShape shape;
        shape.context_length = 1024;
        model_ = lm::test::make_tiny_model(shape);
        encoder_ = *gistnet::make_gist_encoder(*model_, {});
        folder_ = Path(testing::TempDir()) / ("train-codec-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        options_.documents = {text("one.txt", 1, 30'000)};
        options_.output = folder_ / "codebook.safetensors";
        options_.gists = 280;
        options_.windows = 2;
        options_.command_line = "the command";
    }

    ~TrainCodecTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    Path text(const std::string& name, std::uint64_t seed, std::size_t size) const {
        Rng rng(seed);
        std::string content;
        while (content.size() < size) {
            for (std::uint64_t letters = 1 + rng.below(6); letters > 0; --letters)
                content.push_back(static_cast<char>('a' + rng.below(26)));
            content.push_back(' ');
        }
        EXPECT_TRUE(replace_file(folder_ / name, std::as_bytes(std::span(content))));
        return folder_ / name;
    }

    Result<TrainCodecReport> train(const std::atomic<bool>* cancelled = nullptr) {
        return train_codec(*model_, *encoder_, options_, {}, cancelled);
    }

    std::unique_ptr<lm::BaseModel> model_;
    std::unique_ptr<GistEncoder> encoder_;
    Path folder_;
    TrainCodecOptions options_;
};

TEST_F(TrainCodecTest, TheFileNamesModelAndEncoderAndLosesLessThanEverything) {
    const auto report = train();
    ASSERT_TRUE(report) << report.error().to_string();
    const auto book = load_codebook(options_.output.string());
    ASSERT_TRUE(book) << book.error().to_string();
    EXPECT_EQ(book->base_model_hash, model_->hash());
    EXPECT_EQ(book->encoder_hash, encoder_->info().hash);
    EXPECT_EQ(book->gist_bytes(), report->gist_bytes);
    EXPECT_TRUE(report->weighed);
    EXPECT_GE(report->gists, 280U);
    EXPECT_GT(report->error_share_keys, 0.0);
    EXPECT_LT(report->error_share_keys, 1.0);
    EXPECT_LT(report->error_share_values, 1.0);
    const auto file = lm::SafetensorsFile::open(options_.output);
    EXPECT_EQ((*file)->metadata().at("command"), "the command");
}

TEST_F(TrainCodecTest, TheSameCommandWritesTheSameBytes) {
    ASSERT_TRUE(train());
    const std::string first = *read_file(options_.output, 1 << 26);
    ASSERT_TRUE(train());
    EXPECT_EQ(*read_file(options_.output, 1 << 26), first);
    options_.seed = 2;
    ASSERT_TRUE(train());
    EXPECT_NE(*read_file(options_.output, 1 << 26), first);
}

TEST_F(TrainCodecTest, WhatCannotBeDoneLeavesNoFile) {
    const std::atomic<bool> cancelled = true;
    EXPECT_EQ(train(&cancelled).error().code(), ErrorCode::kCancelled);
    options_.documents = {text("short.txt", 2, 3000)};
    EXPECT_EQ(train().error().code(), ErrorCode::kInvalidInput);
    options_.documents = {folder_ / "missing.txt"};
    EXPECT_EQ(train().error().code(), ErrorCode::kInvalidInput);
    options_.documents = {};
    EXPECT_EQ(train().error().code(), ErrorCode::kUsage);
    EXPECT_FALSE(std::filesystem::exists(options_.output));
}

}  // namespace
}  // namespace mc::runtime
