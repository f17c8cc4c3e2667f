// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/train_index.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/hash.h"
#include "core/utf8.h"
#include "gistnet/index/index_file.h"
#include "gistnet/training/index_trainer.h"
#include "gistnet/training/usable_steps.h"
#include "lm/training/training_pass.h"
#include "tree/read_window.h"

namespace mc::gistnet {
namespace {

constexpr std::uint64_t kDocumentBytesMax = 1ULL << 30;
constexpr std::uint32_t kEvaluationWindows = 64;
constexpr std::int64_t kIndexDim = 256;

// Where reading ends when minutes are given.
constexpr double kReadingShare = 0.75;
constexpr std::size_t kStepsOfLoss = 20;

// The residual stream that enters the first layer: the embeddings. Deeper ones found less on the
// watched documents, and reading these costs so little that whole books can be learned from.
constexpr std::int64_t kEmbeddings = 0;

struct Documents {
    TrainingText text;
    WordCounts counts;
    std::vector<Hash128> hashes;
};

Result<Documents> read_documents(const lm::BaseModel& model, const std::vector<Path>& paths) {
    Documents out;
    for (const Path& path : paths) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        const Hash128 hash = xxh3_128(std::as_bytes(std::span(content)));
        if (std::find(out.hashes.begin(), out.hashes.end(), hash) != out.hashes.end())
            return fail(ErrorCode::kInvalidInput, path.string() + ": was given before");
        out.text.push_back(model.tokenizer().encode(content));
        out.counts.add(content);
        out.hashes.push_back(hash);
    }
    return out;
}

at::Tensor token_counts(const TrainingText& text, const lm::TorchModel& model) {
    at::Tensor counts = at::ones({std::int64_t{model.config.vocabulary_size}}, at::kDouble);
    for (const std::vector<TokenId>& document : text)
        for (const TokenId token : document)
            counts.data_ptr<double>()[model.vocabulary_id(token)] += 1;
    return counts;
}

Result<void> check_options(const lm::BaseModel& model, const IndexTrainOptions& options) {
    if (options.windows == 0 || options.steps == 0)
        return fail(ErrorCode::kUsage, "windows and steps must be 1 or more");
    constexpr std::uint64_t kReadTokens = 1 + kWindowContextTokens + kWindowNewTokens;
    if (model.config().context_length < kReadTokens)
        return fail(ErrorCode::kUsage, "the model's context of " +
                                           std::to_string(model.config().context_length) +
                                           " tokens is too short for read windows");
    std::error_code failed;
    if (std::filesystem::is_directory(options.output, failed))
        return fail(ErrorCode::kUsage,
                    options.output.string() + " is a folder: --out names the file to write");
    return {};
}

class Run {
  public:
    Run(const lm::BaseModel& model, const IndexTrainOptions& options, const Clock& clock,
        const IndexTrainProgressCallback& progress, const std::atomic<bool>* cancelled)
        : model_(model),
          torch_(model.torch_model()),
          options_(options),
          clock_(clock),
          progress_(progress),
          cancelled_(cancelled),
          began_ns_(clock.monotonic_ns()) {}

    Result<IndexTrainReport> run();

  private:
    Result<void> check_cancelled() const;
    double minutes() const;
    Result<IndexTrainingSet> read_set(const Documents& documents, const WordCounts& counts,
                                      std::uint32_t windows, bool in_time);
    Result<void> train(const IndexTrainingSet& set);
    Result<void> evaluate(const Documents& documents, const WordCounts& counts);
    Result<void> save(std::uint64_t windows, const Hash128& frozen);

    const lm::BaseModel& model_;
    const lm::TorchModel& torch_;
    const IndexTrainOptions& options_;
    const Clock& clock_;
    const IndexTrainProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    const std::int64_t began_ns_;
    IndexProjection projection_;
    IndexTrainReport report_;
};

Result<void> Run::check_cancelled() const {
    if (cancelled_ == nullptr || !cancelled_->load()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; nothing was written");
}

double Run::minutes() const {
    return static_cast<double>(clock_.monotonic_ns() - began_ns_) * 1e-9 / 60;
}

Result<IndexTrainingSet> Run::read_set(const Documents& documents, const WordCounts& counts,
                                       std::uint32_t windows, bool in_time) {
    const auto plan = plan_index_windows(documents.text, windows, options_.seed);
    if (plan.empty())
        return fail(ErrorCode::kInvalidInput,
                    "no document has the 576 tokens of a window and what follows it");
    const c10::InferenceMode inference;
    MC_ASSIGN(const auto reader, lm::torch_guard([&] {
                  return std::make_unique<IndexSetReader>(torch_, projection_.layers,
                                                          projection_.token_weights, documents.text,
                                                          counts, options_.seed);
              }));
    for (std::size_t i = 0; i < plan.size(); ++i) {
        MC_TRY(check_cancelled());
        const bool late = options_.minutes > 0 && minutes() > kReadingShare * options_.minutes;
        if (in_time && late && i > 0) break;
        MC_TRY(lm::torch_guard([&] { reader->read(plan[i]); }));
        if (progress_)
            progress_({"reading", i + 1, plan.size(), report_.tokens_read + reader->tokens_read()});
    }
    report_.tokens_read += reader->tokens_read();
    return lm::torch_guard([&] { return reader->take(); });
}

Result<void> Run::train(const IndexTrainingSet& read) {
    IndexTrainingSet set = read;
    MC_ASSIGN(const auto trainer, lm::torch_guard([&] {
                  // Inference tensors cannot be recorded.
                  set.blocks = read.blocks.clone();
                  set.questions = read.questions.clone();
                  return std::make_unique<IndexTrainer>(set, kIndexDim, options_.seed);
              }));
    UsableSteps usable;
    for (std::uint64_t step = 1; step <= options_.steps; ++step) {
        MC_TRY(check_cancelled());
        MC_ASSIGN(const double loss,
                  lm::torch_guard([&] { return trainer->step(step, options_.steps); }));
        MC_TRY(usable.take(step, options_.steps, loss, 0));
        if (step + kStepsOfLoss > options_.steps)
            report_.loss +=
                loss / static_cast<double>(std::min<std::uint64_t>(kStepsOfLoss, options_.steps));
        if (progress_) progress_({"training", step, options_.steps, report_.tokens_read});
    }
    return lm::torch_guard([&] {
        const IndexProjection learned = trainer->learned();
        // As the file will hold them, so that what is measured is what is saved.
        projection_.map = learned.map.to(at::kHalf).to(at::kFloat);
        projection_.bias = learned.bias.to(at::kHalf).to(at::kFloat);
    });
}

Result<void> Run::evaluate(const Documents& documents, const WordCounts& counts) {
    if (documents.text.empty()) return {};
    MC_ASSIGN(const IndexTrainingSet set, read_set(documents, counts, kEvaluationWindows, false));
    report_.evaluation_blocks = static_cast<std::uint64_t>(set.blocks.size(0));
    MC_ASSIGN(const auto ranks, lm::torch_guard([&] { return rank_blocks(set, projection_); }));
    for (std::size_t kind = 0; kind < kQuestionKindNames.size(); ++kind) {
        std::vector<std::uint32_t> of_kind;
        for (std::size_t i = 0; i < ranks.size(); ++i)
            if (static_cast<std::size_t>(set.kinds[i]) == kind) of_kind.push_back(ranks[i]);
        report_.evaluation.push_back({kQuestionKindNames[kind], score_ranks(of_kind)});
    }
    return {};
}

Result<void> Run::save(std::uint64_t windows, const Hash128& frozen) {
    lm::SafetensorsMetadata metadata;
    metadata["command"] = options_.command_line;
    metadata["seed"] = std::to_string(options_.seed);
    metadata["steps"] = std::to_string(options_.steps);
    metadata["windows"] = std::to_string(windows);
    metadata["frozen_weights_hash"] = to_hex(frozen);
    report_.weights_path = options_.output;
    return save_index(options_.output, projection_, std::move(metadata), model_);
}

Result<IndexTrainReport> Run::run() {
    MC_TRY(check_options(model_, options_));
    MC_ASSIGN(const Documents training, read_documents(model_, options_.documents));
    MC_ASSIGN(const Documents evaluation, read_documents(model_, options_.evaluation_documents));
    for (const Hash128& hash : evaluation.hashes)
        if (std::find(training.hashes.begin(), training.hashes.end(), hash) !=
            training.hashes.end())
            return fail(ErrorCode::kInvalidInput,
                        "an evaluation document is among the training documents too");
    MC_ASSIGN(const Hash128 before, lm::torch_guard([&] { return lm::hash_of_weights(torch_); }));
    projection_.layers = {kEmbeddings};
    MC_TRY(lm::torch_guard([&] {
        projection_.token_weights = inverse_frequency_weights(token_counts(training.text, torch_))
                                        .to(at::kHalf)
                                        .to(torch_.device, at::kFloat);
    }));
    MC_ASSIGN(const IndexTrainingSet set,
              read_set(training, training.counts, options_.windows, true));
    report_.blocks = static_cast<std::uint64_t>(set.blocks.size(0));
    report_.questions = static_cast<std::uint64_t>(set.questions.size(0));
    MC_TRY(train(set));
    MC_TRY(evaluate(evaluation, training.counts));
    MC_ASSIGN(const Hash128 after, lm::torch_guard([&] { return lm::hash_of_weights(torch_); }));
    MC_CHECK(before == after, "training changed the base model's weights");
    MC_TRY(save(report_.blocks / static_cast<std::uint64_t>(kBlocksPerWindow), after));
    return report_;
}

}  // namespace

Result<IndexTrainReport> train_index(const lm::BaseModel& model, const IndexTrainOptions& options,
                                     const Clock& clock, const IndexTrainProgressCallback& progress,
                                     const std::atomic<bool>* cancelled) {
    return Run(model, options, clock, progress, cancelled).run();
}

}  // namespace mc::gistnet
