// SPDX-License-Identifier: Apache-2.0
// Laws of training the compressor, on a tiny random model: gradients reach every parameter, gists
// see nothing after their block, a horizon never leaks into its context, a killed run ends with the
// same bits, and what is trained is better than what it started from.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <set>

#include "core/clock.h"
#include "core/span_math.h"
#include "gistnet/base_model_gist_encoder.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/training/case_batch.h"
#include "gistnet/training/train_gistnet.h"
#include "gistnet/training/trainer.h"
#include "gistnet/training/training_run.h"
#include "gistnet/training/usable_steps.h"
#include "lm/torch/torch_model.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

constexpr auto kBlock = static_cast<std::uint32_t>(kBlockSize);

CaseOptions small_cases(int level = 1) {
    CaseOptions options;
    options.level = level;
    options.context_blocks = level == 1 ? 6 : 32;
    options.horizon_tokens = 12;
    options.chunks_per_step = 2;
    options.cases_per_step = 8;
    options.seed = 5;
    return options;
}

class Training : public testing::Test {
  protected:
    Training() {
        lm::test::TinyShape shape;
        shape.context_length = 2048;
        model_ = lm::test::make_tiny_model(shape);
        for (const std::uint64_t seed : {1, 2, 3})
            text_.push_back(lm::test::random_tokens(model_->tokenizer(), 1500, seed));
    }

    std::vector<LevelParameters> start(int level, std::int64_t queries = 2) const {
        std::vector<LevelParameters> levels;
        for (int l = 1; l <= level; ++l) {
            levels.push_back(initial_parameters(model_->config().gist_shape(), queries, 9));
        }
        return levels;
    }

    std::unique_ptr<lm::BaseModel> model_;
    TrainingText text_;
};

TEST_F(Training, a_step_changes_every_parameter_of_the_level_in_training_and_none_below) {
    for (const int level : {1, 2}) {
        std::vector<LevelParameters> levels = start(level);
        std::vector<at::Tensor> below;
        if (level == 2)
            for (const auto& [name, tensor] : levels[0].named()) below.push_back(tensor->clone());
        Trainer trainer(model_->torch_model(), text_, small_cases(level), std::move(levels));
        std::vector<at::Tensor> before;
        for (const AdamSlot& slot : trainer.slots())
            before.push_back(slot.parameter.detach().clone());
        // Queries beyond the first get a gradient once their maps have left zero.
        for (std::uint64_t step = 1; step <= 3; ++step) trainer.step(step, 100);
        for (std::size_t i = 0; i < before.size(); ++i) {
            const at::Tensor moved = (trainer.slots()[i].parameter.detach() != before[i]);
            // By layer and head: no part of a parameter is out of reach.
            EXPECT_TRUE(moved.flatten(2).any(-1).all().item<bool>()) << "slot " << i;
        }
        std::size_t i = 0;
        if (level == 1) continue;
        for (const auto& [name, tensor] : trainer.levels()[0].named())
            EXPECT_TRUE(at::equal(*tensor, below[i++])) << name;
    }
}

TEST_F(Training, matching_steps_change_every_parameter_too_and_lessen_what_is_unexplained) {
    for (const int level : {1, 2}) {
        CaseOptions options = small_cases(level);
        options.matching_steps = 100;
        Trainer trainer(model_->torch_model(), text_, options, start(level));
        std::vector<at::Tensor> before;
        for (const AdamSlot& slot : trainer.slots())
            before.push_back(slot.parameter.detach().clone());
        const double first = trainer.step(1, 100).unexplained;
        for (std::uint64_t step = 2; step <= 30; ++step) trainer.step(step, 100);
        for (std::size_t i = 0; i < before.size(); ++i) {
            const at::Tensor moved = (trainer.slots()[i].parameter.detach() != before[i]);
            EXPECT_TRUE(moved.flatten(2).any(-1).all().item<bool>()) << "slot " << i;
        }
        // The same texts again. Families of random blocks are alike: level 2 has nothing to learn.
        if (level == 1) {
            EXPECT_LT(trainer.step(1, 100).unexplained, 0.98 * first);
        }
    }
}

CaseOptions matching_cases() {
    CaseOptions options = small_cases();
    options.matching_steps = 100;
    return options;
}

// What the gists leave unexplained of attention on texts that no step has seen.
double unexplained_on_unseen(const lm::BaseModel& model,
                             const std::vector<LevelParameters>& levels) {
    TrainingText unseen;
    for (const std::uint64_t seed : {11, 12})
        unseen.push_back(lm::test::random_tokens(model.tokenizer(), 1500, seed));
    double sum = 0;
    constexpr int kSteps = 6;
    for (int step = 1; step <= kSteps; ++step) {
        std::vector<LevelParameters> copies;
        for (const LevelParameters& level : levels) {
            copies.push_back(level);
            for (const auto& [name, tensor] : copies.back().named())
                *tensor = tensor->detach().clone();
        }
        // What a step reports is of the parameters before it.
        Trainer trainer(model.torch_model(), unseen, matching_cases(), std::move(copies));
        sum += trainer.step(static_cast<std::uint64_t>(step), 100).unexplained;
    }
    return sum / kSteps;
}

TEST_F(Training, what_is_trained_does_better_on_unseen_texts_than_what_it_started_from) {
    const double before = unexplained_on_unseen(*model_, start(1));
    Trainer trainer(model_->torch_model(), text_, matching_cases(), start(1));
    EXPECT_NEAR(unexplained_on_unseen(*model_, trainer.levels()), before, 1e-9);  // the control
    for (std::uint64_t step = 1; step <= 60; ++step) trainer.step(step, 100);
    const double after = unexplained_on_unseen(*model_, trainer.levels());
    EXPECT_LT(after, 0.99 * before) << after << " " << before;
}

TEST_F(Training, the_gradient_of_the_loss_is_its_slope) {
    CaseOptions options = small_cases();
    options.continues = true;  // with neutral cases and log-mass
    // Too short for a bank, which would move with the weights and has no part in the gradient.
    for (auto& document : text_) document.resize(900);
    ASSERT_TRUE(plan_bank(text_, options).empty());
    Trainer trainer(model_->torch_model(), text_, options, start(1));
    // Two trainers a small step apart along one parameter's direction; the loss is reported.
    const auto loss_at = [&](at::Tensor LevelParameters::*parameter, double by) {
        std::vector<LevelParameters> levels = start(1);
        (levels[0].*parameter).add_(by);
        Trainer moved(model_->torch_model(), text_, options, std::move(levels));
        return moved.step(1, 100).loss;
    };
    trainer.step(1, 100);
    const StepReport again = Trainer(model_->torch_model(), text_, options, start(1)).step(1, 100);
    const double clip = std::min(1.0, 1.0 / again.gradient_norm);
    const double step = 1e-3;
    const std::pair<std::size_t, at::Tensor LevelParameters::*> parameters[] = {
        {3, &LevelParameters::value_map}, {4, &LevelParameters::mass_bias}};
    for (const auto& [slot, parameter] : parameters) {
        // The first moment after one step is (1 - beta1) × the clipped gradient.
        const double predicted =
            trainer.slots()[slot].first_moment.sum().item<double>() / 0.1 / clip;
        const double measured = (loss_at(parameter, step) - loss_at(parameter, -step)) / (2 * step);
        EXPECT_NEAR(predicted, measured, 0.03 * std::abs(measured) + 2e-3) << "slot " << slot;
        EXPECT_GT(std::abs(measured), 1e-3) << "slot " << slot;
    }
}

TEST_F(Training, plans_are_functions_of_seed_and_step_and_show_only_text_before_the_horizon) {
    std::set<CaseKind> kinds;
    for (const int level : {1, 2})
        for (std::uint64_t step = 1; step <= 50; ++step) {
            CaseOptions options = small_cases(level);
            options.continues = step % 2 == 0;
            const StepPlan plan = plan_step(text_, options, step);
            const std::vector<Chunk> bank = plan_bank(text_, options);
            EXPECT_EQ(bank.empty(), !options.continues);
            std::size_t cases = 0;
            for (const CaseGroup& group : plan.groups)
                for (const TrainingCase& one : group.cases) {
                    ++cases;
                    for (const GistRef& gist : one.others) EXPECT_NE(gist.chunk, one.chunk);
                    const Chunk& chunk = plan.chunks[one.chunk];
                    for (const std::size_t place : one.banked) {
                        const Chunk& run = bank.at(plan.banked.at(place) / kBankRunBlocks);
                        if (run.document != chunk.document) continue;
                        // What has gone before, and only where it may matter.
                        EXPECT_EQ(group.kind, CaseKind::kRecall);
                        EXPECT_LE(run.begin + kBankRunBlocks * kBlock, chunk.begin);
                    }
                    kinds.insert(group.kind);
                    if (group.kind != CaseKind::kRecall) {
                        EXPECT_TRUE(one.before.empty() && one.after.empty() && !group.has_raw);
                        EXPECT_FALSE(one.others.empty());
                        continue;
                    }
                    std::vector<int> covered(one.horizon_begin / kBlock, 0);
                    const auto cover = [&](const GistRef& gist) {
                        const std::uint32_t size = gist.level == 1 ? 1 : kBlock;
                        EXPECT_EQ(gist.chunk, one.chunk);
                        for (std::uint32_t b = 0; b < size; ++b) {
                            ASSERT_LT(gist.index * size + b, covered.size());
                            ++covered[gist.index * size + b];
                        }
                    };
                    for (const GistRef& gist : one.before) cover(gist);
                    if (group.has_raw) ++covered.at(one.raw_block);
                    for (const GistRef& gist : one.after) cover(gist);
                    // Every block before the horizon stands there exactly once.
                    EXPECT_EQ(std::set<int>(covered.begin(), covered.end()), std::set<int>({1}));
                    EXPECT_LE(one.horizon_begin + plan.shape.horizon_tokens,
                              plan.shape.chunk_tokens());
                }
            const bool looks_far = plan.shape.horizon_tokens > options.horizon_tokens;
            EXPECT_EQ(cases, looks_far ? plan.chunks.size() : options.cases_per_step);
            const StepPlan again = plan_step(text_, options, step);
            EXPECT_EQ(again.chunks[0].begin, plan.chunks[0].begin);
        }
    EXPECT_EQ(kinds.size(), 3U);
    EXPECT_NE(plan_step(text_, small_cases(), 1).chunks[0].begin,
              plan_step(text_, small_cases(), 2).chunks[0].begin);
}

TEST_F(Training, a_step_learns_from_the_text_that_its_gists_stand_for) {
    // The same case with two gists swapped is another context: the loss must notice.
    const CaseOptions options = small_cases();
    const StepPlan plan = plan_step(text_, options, 3);
    at::NoGradGuard no_grad;
    const lm::TorchModel& torch = model_->torch_model();
    const KeysValues bos = read_bos(torch);
    const GistTable table{at::cat({bos.keys, at::randn({12, 2, 2, 8})}),
                          at::cat({bos.values, at::randn({12, 2, 2, 8})}), at::zeros({13, 2, 2})};
    std::vector<at::Tensor> ids;
    for (const Chunk& chunk : plan.chunks) {
        const auto& document = text_[chunk.document];
        ids.push_back(
            torch.token_index(std::span(document).subspan(chunk.begin, plan.shape.chunk_tokens())));
    }
    for (CaseGroup group : plan.groups)
        for (TrainingCase& one : group.cases) {
            if (one.before.size() < 2) continue;
            CaseGroup alone{group.kind, group.has_raw, group.gists_after_raw, {one}};
            const auto read = [&] {
                const CaseBatch batch =
                    make_case_batch(torch, alone, plan.shape, at::stack(ids), table.keys.size(0));
                lm::TrainingPass pass(torch, batch.layout);
                return pass.forward(batch.inputs, table.lookup(batch.gist_rows)).clone();
            };
            const at::Tensor straight = read();
            std::swap(alone.cases[0].before[0], alone.cases[0].before[1]);
            EXPECT_GT((read() - straight).abs().max().item<float>(), 1e-4F);
        }
}

class TrainingRun : public Training {
  protected:
    TrainingRun() : folder_(Path(testing::TempDir()) / ("train-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
        for (const char* name : {"a.txt", "b.txt", "held-out.txt"}) write_words(name);
    }

    ~TrainingRun() override { std::filesystem::remove_all(folder_); }

    // Text with something to learn: few words, in an order that repeats.
    void write_words(const std::string& name) const {
        Rng rng(name.size() * 131 + static_cast<unsigned char>(name[0]));
        std::ofstream file(folder_ / name);
        for (int i = 0; i < 6000; ++i)
            file << static_cast<char>('a' + rng.below(6)) << (i % 7 == 0 ? " " : "");
    }

    TrainOptions options(const std::string& out) const {
        TrainOptions options;
        options.documents = {folder_ / "a.txt", folder_ / "b.txt"};
        options.evaluation_documents = {};
        options.output = folder_ / out;
        options.steps = 8;
        options.context_blocks = 4;
        options.chunks_per_step = 1;
        options.cases_per_step = 3;
        options.pooling_queries = 2;
        options.matching_steps = 4;  // a run of both kinds of steps
        options.checkpoint_every = 3;
        return options;
    }

    std::string weights_of(const std::string& out) const {
        return read_file(folder_ / out / "gistnet.safetensors", 1 << 24).value();
    }

    SimulatedClock clock_;
    Path folder_;
};

TEST_F(TrainingRun, an_interrupted_run_ends_with_the_same_bits_as_one_that_was_not) {
    ASSERT_TRUE(train_gistnet(*model_, options("whole"), clock_, {}, nullptr));
    std::atomic<bool> cancelled = false;
    const auto stop_at_five = [&](const TrainProgress& progress) {
        if (progress.step == 5) cancelled = true;
    };
    const auto first = train_gistnet(*model_, options("parts"), clock_, stop_at_five, &cancelled);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code(), ErrorCode::kCancelled);
    ASSERT_TRUE(train_gistnet(*model_, options("parts"), clock_, {}, nullptr));
    EXPECT_EQ(weights_of("parts"), weights_of("whole"));

    std::ifstream log(folder_ / "parts" / "train.jsonl");
    std::size_t lines = 0;
    for (std::string line; std::getline(log, line);) ++lines;
    EXPECT_EQ(lines, 8U);
}

TEST_F(TrainingRun, a_run_killed_between_checkpoints_goes_on_from_the_last_one) {
    ASSERT_TRUE(train_gistnet(*model_, options("whole"), clock_, {}, nullptr));
    const auto die_at_five = [&](const TrainProgress& progress) {
        if (progress.step == 5) throw std::runtime_error("killed");
    };
    EXPECT_THROW(
        static_cast<void>(train_gistnet(*model_, options("killed"), clock_, die_at_five, nullptr)),
        std::runtime_error);
    ASSERT_TRUE(train_gistnet(*model_, options("killed"), clock_, {}, nullptr));
    EXPECT_EQ(weights_of("killed"), weights_of("whole"));
}

// Every look at it takes a second, so every step does.
class TickingClock final : public Clock {
  public:
    std::int64_t now_us() const override { return ++seconds_ * 1'000'000; }

    std::int64_t monotonic_ns() const override { return ++seconds_ * 1'000'000'000; }

  private:
    mutable std::int64_t seconds_ = 0;
};

TEST_F(TrainingRun, a_run_in_minutes_plans_the_steps_that_fit_also_when_it_was_interrupted) {
    const TickingClock clock;
    TrainOptions timed = options("timed");
    timed.steps = 0;
    timed.minutes = 0.5;
    EXPECT_EQ(train_gistnet(*model_, timed, clock, {}, nullptr).value().steps, 30U);
    for (const std::uint64_t stop : {2, 6, 8, 20}) {
        TrainOptions parts = timed;
        parts.output = folder_ / ("parts" + std::to_string(stop));
        std::atomic<bool> cancelled = false;
        const auto stops = [&](const TrainProgress& progress) {
            if (progress.step == stop) cancelled = true;
        };
        EXPECT_FALSE(train_gistnet(*model_, parts, clock, stops, &cancelled));
        EXPECT_EQ(train_gistnet(*model_, parts, clock, {}, nullptr).value().steps, 30U) << stop;
    }
}

TEST_F(TrainingRun, trained_weights_make_an_encoder_of_their_own_and_level_2_builds_on_them) {
    ASSERT_TRUE(train_gistnet(*model_, options("first"), clock_, {}, nullptr));
    TrainOptions second = options("second");
    second.level = 2;
    second.level1_weights = folder_ / "first" / "gistnet.safetensors";
    second.context_blocks = 32;
    ASSERT_TRUE(train_gistnet(*model_, second, clock_, {}, nullptr));
    const Path file = folder_ / "second" / "gistnet.safetensors";
    const auto loaded = load_gistnet(file, *model_);
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    EXPECT_EQ(loaded->levels.size(), 2U);
    EXPECT_EQ(loaded->metadata.at("level1.steps"), "8");

    const auto trained = make_gist_encoder(*model_, {file.string(), 0});
    ASSERT_TRUE(trained) << trained.error().to_string();
    const auto untrained = make_gist_encoder(*model_, {"kv-last", 0}).value();
    EXPECT_EQ((*trained)->info().name, "gistnet");
    EXPECT_NE((*trained)->info().hash, untrained->info().hash);
    const std::vector<ReadWindow> windows = {{{text_[0].begin(), text_[0].begin() + 64}, 0}};
    EXPECT_NE((*trained)->encode_windows(windows, false).value()[0][1].kv,
              untrained->encode_windows(windows, false).value()[0][1].kv);
}

// Weights of before there was a log-mass.
void write_format_1(const Path& from, const Path& to) {
    const auto file = lm::SafetensorsFile::open(from).value();
    std::vector<lm::SafetensorsTensor> kept;
    for (const lm::SafetensorsTensor& tensor : file->tensors())
        if (tensor.name.find("mass") == std::string::npos) kept.push_back(tensor);
    lm::SafetensorsMetadata metadata = file->metadata();
    metadata["format"] = "megacontext-gistnet-1";
    ASSERT_TRUE(lm::write_safetensors(to, kept, metadata));
}

TEST_F(TrainingRun, log_mass_comes_back_from_its_file_and_files_without_it_open) {
    ASSERT_TRUE(train_gistnet(*model_, options("first"), clock_, {}, nullptr));
    const Path file = folder_ / "first" / "gistnet.safetensors";
    GistNetWeights trained = load_gistnet(file, *model_).value();
    EXPECT_EQ(trained.levels[0].mass_bias.abs().max().item<float>(), 0.0F);
    trained.levels[0].mass_bias.fill_(1.25);
    trained.levels[0].mass_map.fill_(0.5);
    const Path heavy = folder_ / "heavy.safetensors";
    ASSERT_TRUE(save_gistnet(heavy, trained, *model_));
    const GistNetWeights read = load_gistnet(heavy, *model_).value();
    EXPECT_TRUE(at::equal(read.levels[0].mass_bias, trained.levels[0].mass_bias));
    EXPECT_TRUE(at::equal(read.levels[0].mass_map, trained.levels[0].mass_map));
    const Path old = folder_ / "old.safetensors";
    write_format_1(heavy, old);
    const auto without = load_gistnet(old, *model_);
    ASSERT_TRUE(without) << without.error().to_string();
    EXPECT_EQ(without->levels[0].mass_bias.abs().max().item<float>(), 0.0F);
    EXPECT_TRUE(at::equal(without->levels[0].key_map, trained.levels[0].key_map));

    const std::vector<ReadWindow> windows = {{{text_[0].begin(), text_[0].begin() + 64}, 0}};
    const auto first_gist = [&](const Path& path) {
        const auto encoder = make_gist_encoder(*model_, {path.string(), 0}).value();
        return std::pair(encoder->encode_windows(windows, false).value()[0][0],
                         encoder->info().hash);
    };
    const auto [with, with_hash] = first_gist(heavy);
    const auto [plain, plain_hash] = first_gist(old);
    EXPECT_EQ(with.kv, plain.kv);
    EXPECT_EQ(with.log_mass.size(), model_->config().gist_shape().log_mass_count());
    EXPECT_TRUE(plain.log_mass.empty());
    EXPECT_NE(with_hash, plain_hash);
}

TEST_F(TrainingRun, a_run_from_trained_weights_goes_on_where_they_are) {
    ASSERT_TRUE(train_gistnet(*model_, options("plain"), clock_, {}, nullptr));
    TrainOptions more = options("more");
    more.start_weights = folder_ / "plain" / "gistnet.safetensors";
    more.matching_steps.reset();
    more.steps = 1;
    ASSERT_TRUE(train_gistnet(*model_, more, clock_, {}, nullptr));
    const auto before = load_gistnet(more.start_weights, *model_).value();
    const auto after = load_gistnet(folder_ / "more" / "gistnet.safetensors", *model_).value();
    // One step of 1/20 of 0.12 of the rate 2e-3, and rounding to f16.
    EXPECT_LT((after.levels[0].value_map - before.levels[0].value_map).abs().max().item<double>(),
              1e-3);
    EXPECT_FALSE(at::equal(after.levels[0].value_map, before.levels[0].value_map));
    EXPECT_GT(after.levels[0].mass_bias.abs().min().item<float>(), 0.0F);
    EXPECT_GT(after.levels[0].mass_map.abs().max().item<float>(), 0.0F);

    TrainOptions other_start = more;
    other_start.start_weights = folder_ / "more" / "gistnet.safetensors";
    EXPECT_EQ(train_gistnet(*model_, other_start, clock_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
    TrainOptions no_such_level = options("none");
    no_such_level.level = 2;
    no_such_level.context_blocks = 32;
    no_such_level.level1_weights = no_such_level.start_weights = more.start_weights;
    EXPECT_EQ(train_gistnet(*model_, no_such_level, clock_, {}, nullptr).error().code(),
              ErrorCode::kUsage);
}

TEST_F(TrainingRun, weights_for_another_base_model_are_refused_by_name) {
    ASSERT_TRUE(train_gistnet(*model_, options("first"), clock_, {}, nullptr));
    lm::test::TinyShape shape;
    shape.seed = 77;
    const auto other = lm::test::make_tiny_model(shape);
    const auto refused =
        make_gist_encoder(*other, {(folder_ / "first" / "gistnet.safetensors").string(), 0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
    // And no weights for a tiny model are part of the program.
    EXPECT_EQ(make_gist_encoder(*other, {"auto", 0}).value()->info().name, "kv-match (untrained)");
    EXPECT_EQ(make_gist_encoder(*other, {"gistnet", 0}).error().code(), ErrorCode::kUsage);
}

TEST_F(TrainingRun, a_run_that_stops_being_finite_ends_with_an_error_and_a_sound_checkpoint) {
    TrainOptions whole = options("whole");
    whole.steps = 14;
    ASSERT_TRUE(train_gistnet(*model_, whole, clock_, {}, nullptr));
    // One number of the frozen weights is lost after step 6, which has a checkpoint, and found
    // again for the second try.
    float* const number = model_->torch_model().weights.final_norm.mutable_data_ptr<float>();
    const float sound = *number;
    TrainOptions broken = whole;
    broken.output = folder_ / "broken";
    const auto loses_it = [&](const TrainProgress& progress) {
        if (progress.step == 6) *number = std::numeric_limits<float>::quiet_NaN();
    };
    const auto stopped = train_gistnet(*model_, broken, clock_, loses_it, nullptr);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::kModel);
    EXPECT_NE(stopped.error().message().find("in step 11 and 4 before it"), std::string::npos)
        << stopped.error().message();
    EXPECT_FALSE(std::filesystem::exists(broken.output / "gistnet.safetensors"));
    *number = sound;
    ASSERT_TRUE(train_gistnet(*model_, broken, clock_, {}, nullptr));
    EXPECT_EQ(weights_of("broken"), weights_of("whole"));
}

TEST(UsableSteps, AFewUselessStepsAreBorneAndFiveInARowAreNot) {
    const double lost = std::numeric_limits<double>::quiet_NaN();
    UsableSteps steps;
    for (std::uint64_t step = 1; step <= 4; ++step) EXPECT_TRUE(steps.take(step, 100, lost, 1));
    EXPECT_FALSE(steps.last_was_useful());
    EXPECT_TRUE(steps.take(5, 100, 2.0, 1.0));
    EXPECT_TRUE(steps.last_was_useful());
    for (std::uint64_t step = 6; step <= 9; ++step) EXPECT_TRUE(steps.take(step, 100, 2.0, lost));
    EXPECT_EQ(steps.take(10, 100, 2.0, HUGE_VAL).error().code(), ErrorCode::kModel);
    // And a run that has fewer steps than five needs one that is useful.
    UsableSteps all_useless;
    EXPECT_TRUE(all_useless.take(1, 2, lost, lost));
    EXPECT_FALSE(all_useless.take(2, 2, lost, lost));
}

TEST_F(TrainingRun, files_of_another_kind_are_errors_and_not_exceptions) {
    const Path log = folder_ / "train.jsonl";
    std::ofstream(log) << "{\"step\":1}\n{\"step\":\"two\"}\n";
    const auto opened = TrainLog::open(log, 5);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(opened.error().message().find("line 2"), std::string::npos);
    std::ofstream(log) << "{\"step\":1,\"evaluation\":[7]}\n";
    EXPECT_EQ(TrainLog::open(log, 5).value().curve().error().code(), ErrorCode::kCorruption);
    EXPECT_EQ(TrainLog::open(log, 5).value().write_events().error().code(), ErrorCode::kCorruption);
    // A name that the system refuses to look for.
    const Path refused = folder_ / std::string(300, 'n');
    EXPECT_FALSE(TrainLog::open(refused, 5));
    RunState state;
    Trainer trainer(model_->torch_model(), text_, small_cases(), start(1));
    EXPECT_FALSE(load_checkpoint(refused, "", state, trainer));
}

TEST_F(TrainingRun, what_cannot_be_trained_is_refused_before_anything_is_written) {
    TrainOptions shared = options("x");
    shared.evaluation_documents = {folder_ / "b.txt"};
    EXPECT_EQ(train_gistnet(*model_, shared, clock_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
    TrainOptions no_level1 = options("x");
    no_level1.level = 2;
    EXPECT_EQ(train_gistnet(*model_, no_level1, clock_, {}, nullptr).error().code(),
              ErrorCode::kUsage);
    TrainOptions too_long = options("x");
    too_long.context_blocks = 1000;
    EXPECT_EQ(train_gistnet(*model_, too_long, clock_, {}, nullptr).error().code(),
              ErrorCode::kUsage);
    TrainOptions missing = options("x");
    missing.documents.push_back(folder_ / "no-such.txt");
    EXPECT_EQ(train_gistnet(*model_, missing, clock_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
    ASSERT_TRUE(train_gistnet(*model_, options("x"), clock_, {}, nullptr));
    TrainOptions other_seed = options("x");
    other_seed.seed = 2;
    EXPECT_EQ(train_gistnet(*model_, other_seed, clock_, {}, nullptr).error().code(),
              ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::gistnet::test
