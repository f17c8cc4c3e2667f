// SPDX-License-Identifier: Apache-2.0
// Several ranks train the compressor as one process does: to the bit, whatever their number, also
// when it changes, and an end of one of them leaves the last checkpoint.
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "core/clock.h"
#include "core/rng.h"
#include "gistnet/training/train_gistnet.h"
#include "tests/support/thread_ranks.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

class SharedTraining : public testing::Test {
  protected:
    SharedTraining() : folder_(Path(testing::TempDir()) / ("ranks-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        for (const char* name : {"a.txt", "b.txt", "held-out.txt"}) write_words(name);
        shape_.context_length = 4096;
    }

    ~SharedTraining() override { std::filesystem::remove_all(folder_); }

    void write_words(const std::string& name) const {
        Rng rng(name.size() * 131 + static_cast<unsigned char>(name[0]));
        std::ofstream file(folder_ / name);
        // A document to evaluate on has room for all windows.
        const int letters = name == "held-out.txt" ? 40000 : 9000;
        for (int i = 0; i < letters; ++i)
            file << static_cast<char>('a' + rng.below(6)) << (i % 7 == 0 ? " " : "");
    }

    TrainOptions options(const std::string& out, int level = 1) const {
        TrainOptions options;
        options.documents = {folder_ / "a.txt", folder_ / "b.txt"};
        options.output = folder_ / out;
        options.level = level;
        options.steps = 6;
        options.context_blocks = level == 1 ? 4 : 32;
        options.chunks_per_step = 2;
        options.cases_per_step = 5;
        options.pooling_queries = 2;
        options.matching_steps = 3;  // a run of both kinds of steps
        options.checkpoint_every = 2;
        return options;
    }

    // Each rank has a model of its own, as each process has.
    Result<TrainReport> train(TrainOptions options, ranks::RankGroup* group,
                              const TrainProgressCallback& progress = {},
                              const std::atomic<bool>* cancelled = nullptr) const {
        const auto model = [this] {
            const std::lock_guard lock(one_at_a_time_);  // the model's file has one name
            return lm::test::make_tiny_model(shape_);
        }();
        const SimulatedClock clock;
        options.group = group;
        return train_gistnet(*model, options, clock, progress, cancelled);
    }

    std::string weights_of(const std::string& out) const {
        return read_file(folder_ / out / "gistnet.safetensors", 1 << 24).value();
    }

    lm::test::TinyShape shape_;
    Path folder_;
    mutable std::mutex one_at_a_time_;
};

TEST_F(SharedTraining, any_number_of_ranks_ends_with_the_bits_of_one_process) {
    ASSERT_TRUE(train(options("alone"), nullptr));
    for (const int world : {2, 3}) {
        const std::string out = "world" + std::to_string(world);
        ranks::test::run_ranks(world, [&](ranks::RankGroup& group) {
            const auto report = train(options(out), &group);
            ASSERT_TRUE(report) << report.error().to_string();
            EXPECT_EQ(report->steps, 6U);
            EXPECT_EQ(report->weights_path.empty(), group.rank() != 0);
        });
        EXPECT_EQ(weights_of(out), weights_of("alone")) << world;
    }
}

TEST_F(SharedTraining, level_2_and_weights_that_learn_on_are_the_same_too) {
    ASSERT_TRUE(train(options("first"), nullptr));
    TrainOptions second = options("second", 2);
    second.level1_weights = folder_ / "first" / "gistnet.safetensors";
    TrainOptions more = options("more");
    more.start_weights = second.level1_weights;
    more.matching_steps = 0;
    for (TrainOptions* one : {&second, &more}) {
        ASSERT_TRUE(train(*one, nullptr));
        const std::string alone = one->output.filename().string();
        one->output = folder_ / (alone + "-shared");
        ranks::test::run_ranks(2, [&](ranks::RankGroup& group) {
            const auto report = train(*one, &group);
            EXPECT_TRUE(report) << report.error().to_string();
        });
        EXPECT_EQ(weights_of(alone + "-shared"), weights_of(alone));
    }
}

TEST_F(SharedTraining, a_run_goes_on_with_another_number_of_ranks_and_only_rank_0_has_its_folder) {
    ASSERT_TRUE(train(options("alone"), nullptr));
    std::atomic<bool> cancelled = false;
    // One rank is interrupted: all stop behind the same step.
    ranks::test::run_ranks(3, [&](ranks::RankGroup& group) {
        const bool stops = group.rank() == 1;
        const auto progress = [&](const TrainProgress& now) {
            if (stops && now.step == 3) cancelled = true;
        };
        const auto report = train(options("parts"), &group, progress, stops ? &cancelled : nullptr);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
    });
    ranks::test::run_ranks(2, [&](ranks::RankGroup& group) {
        TrainOptions elsewhere = options(group.rank() == 0 ? "parts" : "not-there");
        const auto report = train(elsewhere, &group);
        EXPECT_TRUE(report) << report.error().to_string();
    });
    EXPECT_EQ(weights_of("parts"), weights_of("alone"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "not-there"));
}

TEST_F(SharedTraining, a_rank_that_ends_leaves_the_last_checkpoint_to_go_on_from) {
    ASSERT_TRUE(train(options("alone"), nullptr));
    ranks::test::run_ranks(2, [&](ranks::RankGroup& group) {
        const auto dies = [&](const TrainProgress& now) {
            if (group.rank() == 1 && now.step == 5) throw std::runtime_error("killed");
        };
        if (group.rank() == 1) {
            EXPECT_THROW(static_cast<void>(train(options("killed"), &group, dies)),
                         std::runtime_error);
            return;
        }
        const auto report = train(options("killed"), &group, dies);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::kIo);
    });
    ASSERT_TRUE(train(options("killed"), nullptr));
    EXPECT_EQ(weights_of("killed"), weights_of("alone"));
}

TEST_F(SharedTraining, ranks_that_train_different_things_are_told_so_before_anything_is_written) {
    ranks::test::run_ranks(2, [&](ranks::RankGroup& group) {
        TrainOptions other = options("x");
        other.seed = group.rank() == 0 ? 1 : 2;
        const auto report = train(other, &group);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::kUsage);
        EXPECT_NE(report.error().message().find("rank 1 trains something else"), std::string::npos);
    });
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(SharedTraining, rank_0_evaluates_while_the_others_wait) {
    ranks::test::run_ranks(2, [&](ranks::RankGroup& group) {
        TrainOptions watched = options("watched");
        watched.evaluation_documents = {folder_ / "held-out.txt"};
        const auto report = train(watched, &group);
        ASSERT_TRUE(report) << report.error().to_string();
        EXPECT_EQ(report->curve.empty(), group.rank() != 0);
    });
}

}  // namespace
}  // namespace mc::gistnet::test
