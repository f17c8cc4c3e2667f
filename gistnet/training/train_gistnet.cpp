// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/train_gistnet.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/check.h"
#include "core/hash.h"
#include "core/span_math.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/training/training_run.h"
#include "gistnet/training/training_setup.h"
#include "gistnet/training/usable_steps.h"
#include "lm/torch/torch_model.h"
#include "ranks/rank_group.h"

namespace mc::gistnet {
namespace {

// What is watched while training: a little context and the next tokens, much context and far ones,
// more gists than any case has of one text.
constexpr HeldOutShape kNearLevel1 = {8, 64, 32};
constexpr HeldOutShape kNearLevel2 = {32, 64, 32};
constexpr HeldOutShape kFar = {64, 512, 6};
constexpr HeldOutShape kMany = {192, 256, 2};

// Steps of distillation that are timed before a run in minutes fixes its number of steps; the first
// is a warm-up.
constexpr std::uint64_t kTimedSteps = 6;
constexpr double kStepSecondsMin = 1e-3;

constexpr double kRunningMean = 0.95;

bool fits_in_context(const lm::TorchModel& model, const HeldOutShape& shape) {
    return 1 + std::uint64_t{shape.context_blocks} * kBlockSize + shape.horizon_tokens <=
           model.config.context_length;
}

// The first steps change the most: a curve over the logarithm of steps wants points there.
bool is_evaluated(std::uint64_t step, std::uint64_t every) {
    constexpr std::uint64_t kFirstShares[] = {8, 4, 2};
    return step % every == 0 || std::ranges::any_of(kFirstShares, [&](std::uint64_t share) {
               return step * share == every;
           });
}

// The loop's parts, so that each function has one job.
class Run {
  public:
    Run(const lm::BaseModel& model, const TrainOptions& options, const Clock& clock,
        const TrainProgressCallback& progress, const std::atomic<bool>* cancelled)
        : model_(model),
          options_(options),
          clock_(clock),
          progress_(progress),
          cancelled_(cancelled),
          group_(options.group != nullptr ? *options.group : alone_) {}

    Result<TrainReport> run();

  private:
    bool leads() const { return group_.rank() == 0; }

    Result<void> open_held_out(int level);
    Result<void> make_trainer(const CaseOptions& cases, const Documents& training);
    Result<void> open_output();
    Result<void> agree_on_identity();
    Result<bool> agree_to_go_on();
    Result<void> evaluate();
    void plan_total(double step_seconds);
    Result<void> train();
    Result<StepReport> step();
    Result<void> keep_step(const StepReport& step, double seconds);
    Result<void> save_weights(const Hash128& weights_hash);
    Result<void> checkpoint();

    const lm::BaseModel& model_;
    const TrainOptions& options_;
    const Clock& clock_;
    const TrainProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    ranks::LoneRank alone_;
    ranks::RankGroup& group_;
    Documents evaluation_;
    std::optional<TrainLog> log_;  // of rank 0
    std::optional<HeldOut> held_out_;
    std::unique_ptr<Trainer> trainer_;
    DriftMeter drift_;
    UsableSteps usable_;
    std::string identity_;
    lm::SafetensorsMetadata level1_metadata_;  // for level 2
    RunState state_;
    TrainProgress shown_;
    TrainReport report_;
    double step_seconds_ = 0;  // of this process, as the three below
    double distillation_seconds_ = 0;
    std::uint64_t distillation_steps_ = 0;  // that were timed
    std::uint64_t step_positions_ = 0;
};

Result<void> Run::evaluate() {
    if (!held_out_) return {};
    MC_ASSIGN(const auto scores,
              lm::torch_guard([&] { return held_out_->score(trainer_->levels()); }));
    std::string line = "step " + std::to_string(state_.step);
    for (const HeldOutScore& score : scores) {
        const std::string& name = evaluation_.names[score.document];
        char text[112];
        std::snprintf(text, sizeof text,
                      "\n  %3u blocks, %3u tokens ahead: R %.3f Rs %.3f, another window's R %.3f  ",
                      score.shape.context_blocks, score.shape.horizon_tokens, score.recovery(),
                      score.recovery_over_shuffled(), score.shuffled_recovery());
        line += text + name;
    }
    MC_ASSIGN(const Drift drift,
              lm::torch_guard([&] { return drift_.measure(trainer_->levels().back()); }));
    MC_TRY(log_->add_evaluation(state_.step, state_.positions, evaluation_.names, scores, drift));
    shown_.evaluation = std::move(line);
    if (progress_) progress_(shown_);
    shown_.evaluation.clear();
    return {};
}

Result<void> Run::checkpoint() {
    return save_checkpoint(options_.output / "checkpoint.safetensors", identity_, state_,
                           *trainer_);
}

// Fixes the number of steps that minutes allow, once enough steps of distillation were timed.
void Run::plan_total(double step_seconds) {
    if (state_.step <= matching_steps(options_)) return;
    if (distillation_steps_++ > 0) distillation_seconds_ += step_seconds;
    if (distillation_steps_ < kTimedSteps) return;
    const double left = options_.minutes * 60 - static_cast<double>(state_.milliseconds) * 1e-3;
    const double each = std::max(distillation_seconds_ / (kTimedSteps - 1), kStepSecondsMin);
    state_.total_steps = state_.step + static_cast<std::uint64_t>(std::max(0.0, left / each));
}

// Whether all are to take another step; what rank 0 planned is what all do.
Result<bool> Run::agree_to_go_on() {
    const bool is_cancelled = cancelled_ != nullptr && cancelled_->load();
    MC_ASSIGN(const auto all,
              group_.gather((is_cancelled ? "stop " : "go ") + std::to_string(state_.total_steps)));
    const std::string& plan = all.front();
    state_.total_steps = std::stoull(plan.substr(plan.find(' ') + 1));
    if (state_.total_steps != 0 && state_.step >= state_.total_steps) return false;
    const bool stops =
        std::ranges::any_of(all, [](const std::string& one) { return one.starts_with("stop"); });
    if (!stops) return true;
    if (leads() && usable_.last_was_useful()) MC_TRY(checkpoint());
    return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
}

// Until the number of steps is known the schedule is in its warm-up.
Result<StepReport> Run::step() {
    const std::uint64_t total = state_.total_steps != 0 ? state_.total_steps : ~std::uint64_t{0};
    return lm::torch_guard([&] { return trainer_->step(state_.step + 1, total, group_); });
}

// What follows from a step: counts, log, evaluation, checkpoint.
Result<void> Run::keep_step(const StepReport& step, double seconds) {
    const std::uint64_t total = state_.total_steps != 0 ? state_.total_steps : ~std::uint64_t{0};
    ++state_.step;
    state_.positions += step.reader_positions;
    if (state_.step > 1) {
        step_seconds_ += seconds;
        step_positions_ += step.reader_positions;
    }
    state_.milliseconds += static_cast<std::uint64_t>(seconds * 1e3);
    if (state_.total_steps == 0 && leads()) plan_total(seconds);
    if (log_) MC_TRY(log_->add_step(state_.step, step, seconds));
    const double loss = step.loss + step.unexplained;  // a step has one of them
    MC_TRY(usable_.take(state_.step, total, loss, step.gradient_norm));
    shown_.divergence =
        state_.step == 1 ? step.divergence
                         : kRunningMean * shown_.divergence + (1 - kRunningMean) * step.divergence;
    shown_.step = state_.step;
    shown_.total_steps = state_.total_steps;
    shown_.positions = state_.positions;
    if (progress_) progress_(shown_);
    const bool last = state_.step == state_.total_steps;
    if (last || is_evaluated(state_.step, options_.evaluate_every)) MC_TRY(evaluate());
    const bool is_due = last || state_.step % options_.checkpoint_every == 0;
    if (!leads() || !is_due || !usable_.last_was_useful()) return {};
    MC_TRY(checkpoint());
    return log_->write_events();
}

Result<void> Run::train() {
    while (true) {
        MC_ASSIGN(const bool goes_on, agree_to_go_on());
        if (!goes_on) return {};
        const std::int64_t began = clock_.monotonic_ns();
        MC_ASSIGN(const StepReport report, step());
        const double seconds = static_cast<double>(clock_.monotonic_ns() - began) * 1e-9;
        MC_TRY(keep_step(report, seconds));
    }
}

Result<void> Run::save_weights(const Hash128& weights_hash) {
    GistNetWeights weights;
    for (LevelParameters& level : trainer_->levels()) weights.levels.push_back(level);
    for (const auto& [key, value] : level1_metadata_)
        if (key.starts_with("level1.")) weights.metadata[key] = value;
    const std::string prefix = "level" + std::to_string(options_.level) + ".";
    weights.metadata[prefix + "command"] = options_.command_line;
    weights.metadata[prefix + "seed"] = std::to_string(options_.seed);
    weights.metadata[prefix + "steps"] = std::to_string(state_.step);
    weights.metadata[prefix + "positions"] = std::to_string(state_.positions);
    weights.metadata[prefix + "frozen_weights_hash"] = to_hex(weights_hash);
    return save_gistnet(report_.weights_path, std::move(weights), model_);
}

Result<void> Run::open_held_out(int level) {
    const lm::TorchModel& torch = model_.torch_model();
    if (evaluation_.text.empty() || !leads()) return {};
    const HeldOutShape near = level == 1 ? kNearLevel1 : kNearLevel2;
    std::vector<HeldOutShape> watched = {near, kFar};
    if (level == 1 && fits_in_context(torch, kMany)) watched.push_back(kMany);
    MC_ASSIGN(HeldOut held_out,
              lm::torch_guard([&] { return HeldOut::make(torch, evaluation_.text, watched); }));
    held_out_.emplace(std::move(held_out));
    return {};
}

Result<void> Run::make_trainer(const CaseOptions& cases, const Documents& training) {
    MC_ASSIGN(GistNetWeights first, first_levels(model_, options_));
    level1_metadata_ = std::move(first.metadata);
    MC_ASSIGN(trainer_, lm::torch_guard([&] {
                  return std::make_unique<Trainer>(model_.torch_model(), training.text, cases,
                                                   std::move(first.levels));
              }));
    MC_ASSIGN(const std::string built_on, hashes_of(options_));
    identity_ = identity_of(model_, options_, cases, training, built_on);
    return {};
}

// Rank 0's part: the folder, what it holds of this run, the log.
Result<void> Run::open_output() {
    if (!leads()) return {};
    std::error_code failed;
    std::filesystem::create_directories(options_.output, failed);
    if (failed) return fail(system_error(failed.value(), "make folder", options_.output));
    MC_TRY(
        load_checkpoint(options_.output / "checkpoint.safetensors", identity_, state_, *trainer_));
    MC_ASSIGN(TrainLog log, TrainLog::open(options_.output / "train.jsonl", state_.step));
    log_.emplace(std::move(log));
    report_.weights_path = options_.output / "gistnet.safetensors";
    return {};
}

Result<void> Run::agree_on_identity() {
    MC_ASSIGN(const auto all, group_.gather(identity_));
    for (std::size_t rank = 0; rank < all.size(); ++rank)
        if (all[rank] != all.front())
            return fail(ErrorCode::kUsage,
                        "rank " + std::to_string(rank) +
                            " trains something else than rank 0: give all ranks the same base "
                            "model, documents, weights and options");
    return {};
}

Result<TrainReport> Run::run() {
    const CaseOptions cases = case_options(options_);
    MC_TRY(check_options(model_, options_, cases));
    MC_ASSIGN(const Documents training, read_documents(model_, options_.documents));
    MC_ASSIGN(evaluation_, read_documents(model_, options_.evaluation_documents));
    MC_TRY(check_disjoint(training, evaluation_));
    MC_TRY(check_training_text(training.text, cases));
    const lm::TorchModel& torch = model_.torch_model();
    MC_TRY(open_held_out(cases.level));
    state_.total_steps = options_.steps;
    MC_TRY(make_trainer(cases, training));
    MC_TRY(agree_on_identity());
    MC_TRY(open_output());
    MC_TRY(share_state(group_, state_, *trainer_));
    MC_ASSIGN(const Hash128 before, lm::torch_guard([&] { return lm::hash_of_weights(torch); }));
    if (state_.step == 0) MC_TRY(evaluate());
    MC_TRY(train());
    MC_ASSIGN(const Hash128 after, lm::torch_guard([&] { return lm::hash_of_weights(torch); }));
    MC_CHECK(before == after, "training changed the base model's weights");
    if (leads()) {
        MC_TRY(save_weights(after));
        MC_ASSIGN(report_.curve, log_->curve());
    }
    report_.steps = state_.step;
    report_.positions_per_second =
        step_seconds_ > 0 ? static_cast<double>(step_positions_) / step_seconds_ : 0;
    return report_;
}

}  // namespace

Result<TrainReport> train_gistnet(const lm::BaseModel& model, const TrainOptions& options,
                                  const Clock& clock, const TrainProgressCallback& progress,
                                  const std::atomic<bool>* cancelled) {
    return Run(model, options, clock, progress, cancelled).run();
}

}  // namespace mc::gistnet
