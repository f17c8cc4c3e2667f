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
#include "gistnet/training/usable_steps.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {
namespace {

constexpr std::uint32_t kLevel1Blocks = 32;
constexpr std::uint32_t kLevel2Blocks = 64;
constexpr std::uint64_t kDocumentBytesMax = 1ULL << 30;

// What is watched while training: a little context and the next tokens, much context and far ones,
// more gists than any case has of one text.
constexpr HeldOutShape kNearLevel1 = {8, 64, 32};
constexpr HeldOutShape kNearLevel2 = {32, 64, 32};
constexpr HeldOutShape kFar = {64, 512, 6};
constexpr HeldOutShape kMany = {192, 256, 2};
// What cases a step has, as part of a run's identity.
constexpr const char* kRecipe = "neutral cases and bank";

// Steps of distillation that are timed before a run in minutes fixes its number of steps; the first
// is a warm-up.
constexpr std::uint64_t kTimedSteps = 6;
constexpr double kStepSecondsMin = 1e-3;

// Matching steps where nothing else is said: more of them than this gained nothing.
constexpr std::uint64_t kMatchingSteps = 80;
constexpr std::uint64_t kMatchingShareOf = 10;
constexpr double kRunningMean = 0.95;

struct Documents {
    TrainingText text;
    std::vector<Hash128> hashes;
    std::vector<std::string> names;
};

Result<Documents> read_documents(const lm::BaseModel& model, const std::vector<Path>& paths) {
    Documents out;
    for (const Path& path : paths) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        out.text.push_back(model.tokenizer().encode(content));
        out.hashes.push_back(xxh3_128(std::as_bytes(std::span(content))));
        out.names.push_back(path.filename().string());
    }
    return out;
}

Result<void> check_disjoint(const Documents& training, const Documents& evaluation) {
    for (std::size_t i = 0; i < evaluation.hashes.size(); ++i)
        for (std::size_t j = 0; j < training.hashes.size(); ++j)
            if (evaluation.hashes[i] == training.hashes[j])
                return fail(ErrorCode::kInvalidInput,
                            evaluation.names[i] + ": is among the training documents too");
    return {};
}

// Everything that decides the numbers of a run, as text.
std::string identity_of(const lm::BaseModel& model, const TrainOptions& options,
                        const CaseOptions& cases, const Documents& training,
                        const std::string& built_on) {
    std::string out =
        "model " + to_hex(model.hash()) + " on " + model.device_description() + "\nlevel " +
        std::to_string(cases.level) + " seed " + std::to_string(cases.seed) + " blocks " +
        std::to_string(cases.context_blocks) + " horizon " + std::to_string(cases.horizon_tokens) +
        " chunks " + std::to_string(cases.chunks_per_step) + " cases " +
        std::to_string(cases.cases_per_step) + " queries " +
        std::to_string(options.pooling_queries) + " matching " +
        std::to_string(cases.matching_steps) + " level1 and start " + built_on + " recipe " +
        kRecipe;
    if (options.steps > 0) out += " steps " + std::to_string(options.steps);
    for (const Hash128& hash : training.hashes) out += "\n" + to_hex(hash);
    return out;
}

// Of the weight files that a run starts from.
Result<std::string> hashes_of(const TrainOptions& options) {
    std::string out;
    for (const Path& path : {options.level1_weights, options.start_weights}) {
        if (path.empty()) {
            out += " none";
            continue;
        }
        MC_ASSIGN(const auto file, MappedFile::open(path));
        out += " " + to_hex(xxh3_128(file->bytes()));
    }
    return out;
}

std::uint64_t matching_steps(const TrainOptions& options) {
    if (options.matching_steps) return *options.matching_steps;
    if (!options.start_weights.empty()) return 0;
    if (options.steps == 0) return kMatchingSteps;
    return std::min(kMatchingSteps, options.steps / kMatchingShareOf);
}

CaseOptions case_options(const TrainOptions& options) {
    CaseOptions out;
    out.level = options.level;
    out.context_blocks = options.context_blocks;
    if (out.context_blocks == 0)
        out.context_blocks = out.level == 1 ? kLevel1Blocks : kLevel2Blocks;
    out.chunks_per_step = options.chunks_per_step;
    out.cases_per_step = options.cases_per_step;
    out.matching_steps = matching_steps(options);
    out.seed = options.seed;
    out.continues = !options.start_weights.empty();
    return out;
}

Result<void> check_options(const lm::BaseModel& model, const TrainOptions& options,
                           const CaseOptions& cases) {
    if (options.level != 1 && options.level != 2)
        return fail(ErrorCode::kUsage, "level must be 1 or 2; level 2 serves every level above it");
    if (options.level == 2 && options.level1_weights.empty())
        return fail(ErrorCode::kUsage, "level 2 needs the weights of level 1");
    if (options.level == 2 && cases.context_blocks % kBlockSize != 0)
        return fail(ErrorCode::kUsage, "level 2 needs a multiple of 32 blocks");
    if (cases.chunks_per_step == 0 || cases.cases_per_step == 0 || options.pooling_queries == 0)
        return fail(ErrorCode::kUsage, "chunks, cases and pooling queries must be 1 or more");
    if (longest_chunk(cases) + 1 > model.config().context_length)
        return fail(ErrorCode::kUsage, "a training text of " +
                                           std::to_string(longest_chunk(cases)) +
                                           " tokens does not fit the model's context of " +
                                           std::to_string(model.config().context_length));
    return lm::TrainingPass::check_support(model.torch_model());
}

// What a run starts from: the levels, and what level 1's file says of itself.
Result<GistNetWeights> first_levels(const lm::BaseModel& model, const TrainOptions& options) {
    GistNetWeights first;
    std::vector<LevelParameters>& levels = first.levels;
    if (options.level == 2) {
        MC_ASSIGN(first, load_gistnet(options.level1_weights, model));
        levels.erase(levels.begin() + 1, levels.end());
    }
    if (options.start_weights.empty()) {
        MC_ASSIGN(LevelParameters fresh, lm::torch_guard([&] {
                      return initial_parameters(model.config().gist_shape(),
                                                options.pooling_queries, options.seed);
                  }));
        levels.push_back(std::move(fresh));
    } else {
        MC_ASSIGN(GistNetWeights start, load_gistnet(options.start_weights, model));
        if (start.levels.size() < static_cast<std::size_t>(options.level))
            return fail(ErrorCode::kUsage, options.start_weights.string() + ": has no level " +
                                               std::to_string(options.level) + " to start from");
        levels.push_back(std::move(start.levels[static_cast<std::size_t>(options.level - 1)]));
    }
    return first;
}

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
          cancelled_(cancelled) {}

    Result<TrainReport> run();

  private:
    Result<void> evaluate(TrainLog& log);
    void plan_total(double step_seconds);
    Result<void> train(TrainLog& log);
    Result<void> save_weights(const Hash128& weights_hash);
    Result<void> checkpoint();

    const lm::BaseModel& model_;
    const TrainOptions& options_;
    const Clock& clock_;
    const TrainProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    Documents evaluation_;
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

Result<void> Run::evaluate(TrainLog& log) {
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
    MC_TRY(log.add_evaluation(state_.step, state_.positions, evaluation_.names, scores, drift));
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

Result<void> Run::train(TrainLog& log) {
    while (state_.total_steps == 0 || state_.step < state_.total_steps) {
        if (cancelled_ != nullptr && cancelled_->load()) {
            if (usable_.last_was_useful()) MC_TRY(checkpoint());
            return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
        }
        const std::int64_t began = clock_.monotonic_ns();
        // Until the number of steps is known the schedule is in its warm-up.
        const std::uint64_t total =
            state_.total_steps != 0 ? state_.total_steps : ~std::uint64_t{0};
        MC_ASSIGN(const StepReport step,
                  lm::torch_guard([&] { return trainer_->step(state_.step + 1, total); }));
        const double seconds = static_cast<double>(clock_.monotonic_ns() - began) * 1e-9;
        ++state_.step;
        state_.positions += step.reader_positions;
        if (state_.step > 1) {
            step_seconds_ += seconds;
            step_positions_ += step.reader_positions;
        }
        state_.milliseconds += static_cast<std::uint64_t>(seconds * 1e3);
        if (state_.total_steps == 0) plan_total(seconds);
        MC_TRY(log.add_step(state_.step, step, seconds));
        const double loss = step.loss + step.unexplained;  // a step has one of them
        MC_TRY(usable_.take(state_.step, total, loss, step.gradient_norm));
        shown_.divergence = state_.step == 1 ? step.divergence
                                             : kRunningMean * shown_.divergence +
                                                   (1 - kRunningMean) * step.divergence;
        shown_.step = state_.step;
        shown_.total_steps = state_.total_steps;
        shown_.positions = state_.positions;
        if (progress_) progress_(shown_);
        const bool last = state_.step == state_.total_steps;
        if (last || is_evaluated(state_.step, options_.evaluate_every)) MC_TRY(evaluate(log));
        const bool is_due = last || state_.step % options_.checkpoint_every == 0;
        if (is_due && usable_.last_was_useful()) {
            MC_TRY(checkpoint());
            MC_TRY(log.write_events());
        }
    }
    return {};
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

Result<TrainReport> Run::run() {
    const CaseOptions cases = case_options(options_);
    MC_TRY(check_options(model_, options_, cases));
    MC_ASSIGN(const Documents training, read_documents(model_, options_.documents));
    MC_ASSIGN(evaluation_, read_documents(model_, options_.evaluation_documents));
    MC_TRY(check_disjoint(training, evaluation_));
    MC_TRY(check_training_text(training.text, cases));
    const lm::TorchModel& torch = model_.torch_model();
    if (!evaluation_.text.empty()) {
        const HeldOutShape near = cases.level == 1 ? kNearLevel1 : kNearLevel2;
        std::vector<HeldOutShape> watched = {near, kFar};
        if (cases.level == 1 && fits_in_context(torch, kMany)) watched.push_back(kMany);
        MC_ASSIGN(HeldOut held_out,
                  lm::torch_guard([&] { return HeldOut::make(torch, evaluation_.text, watched); }));
        held_out_.emplace(std::move(held_out));
    }
    std::error_code failed;
    std::filesystem::create_directories(options_.output, failed);
    if (failed) return fail(system_error(failed.value(), "make folder", options_.output));

    MC_ASSIGN(GistNetWeights first, first_levels(model_, options_));
    level1_metadata_ = std::move(first.metadata);
    MC_ASSIGN(trainer_, lm::torch_guard([&] {
                  return std::make_unique<Trainer>(torch, training.text, cases,
                                                   std::move(first.levels));
              }));
    MC_ASSIGN(const std::string built_on, hashes_of(options_));
    identity_ = identity_of(model_, options_, cases, training, built_on);
    state_.total_steps = options_.steps;
    MC_TRY(
        load_checkpoint(options_.output / "checkpoint.safetensors", identity_, state_, *trainer_));
    MC_ASSIGN(TrainLog log, TrainLog::open(options_.output / "train.jsonl", state_.step));
    report_.weights_path = options_.output / "gistnet.safetensors";
    MC_ASSIGN(const Hash128 before, lm::torch_guard([&] { return lm::hash_of_weights(torch); }));
    if (state_.step == 0) MC_TRY(evaluate(log));
    MC_TRY(train(log));
    MC_ASSIGN(const Hash128 after, lm::torch_guard([&] { return lm::hash_of_weights(torch); }));
    MC_CHECK(before == after, "training changed the base model's weights");
    MC_TRY(save_weights(after));
    MC_ASSIGN(report_.curve, log.curve());
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
