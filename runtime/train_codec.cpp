// SPDX-License-Identifier: Apache-2.0
#include "runtime/train_codec.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/rng.h"
#include "core/span_math.h"
#include "formats/half_float.h"
#include "gistnet/probes/gist_sensitivity.h"
#include "storage/codec/codebook_file.h"
#include "storage/codec/gist_coder.h"
#include "storage/codec/train_codebook.h"
#include "tree/read_window.h"

namespace mc::runtime {
namespace {

constexpr std::uint64_t kDocumentBytesMax = 1ULL << 30;
constexpr std::uint64_t kRunTokens = kBlockSize * kBlockSize;
constexpr std::uint64_t kGistsPerRun = kBlockSize + 1;
// Of every so many runs, one is kept back to measure on.
constexpr std::uint64_t kRunsPerKeptBack = 16;
constexpr std::size_t kWeighedContext = 256;
constexpr std::size_t kWeighedHorizon = 96;

struct RunOfText {
    std::size_t document = 0;
    std::uint64_t begin = 0;  // token
};

Result<void> check_cancelled(const std::atomic<bool>* cancelled) {
    if (cancelled == nullptr || !cancelled->load()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; nothing was written");
}

class CodecTraining {
  public:
    CodecTraining(const lm::BaseModel& model, GistEncoder& encoder,
                  const TrainCodecOptions& options, const TrainCodecCallback& progress,
                  const std::atomic<bool>* cancelled)
        : model_(model),
          encoder_(encoder),
          options_(options),
          progress_(progress),
          cancelled_(cancelled) {}

    Result<TrainCodecReport> run();

  private:
    using KeysValues = std::vector<std::vector<std::uint16_t>>;

    Result<void> read_documents();
    Result<void> plan_runs();
    Result<void> make_gists();
    Result<void> encode_run(const RunOfText& run, KeysValues& out);
    Result<void> weigh();
    Result<void> write_codebook();
    Result<void> measure();

    void show(TrainCodecStage stage, double share) const {
        if (progress_) progress_({stage, share});
    }

    const lm::BaseModel& model_;
    GistEncoder& encoder_;
    const TrainCodecOptions& options_;
    const TrainCodecCallback& progress_;
    const std::atomic<bool>* cancelled_;
    std::vector<std::vector<TokenId>> texts_;
    std::vector<RunOfText> runs_;
    KeysValues learned_;
    KeysValues kept_back_;
    std::vector<float> weights_;  // empty: none
    TrainCodecReport report_;
};

Result<void> CodecTraining::read_documents() {
    for (const Path& path : options_.documents) {
        MC_ASSIGN(const std::string content, read_file(path, kDocumentBytesMax));
        texts_.push_back(model_.tokenizer().encode(content));
    }
    return {};
}

Result<void> CodecTraining::plan_runs() {
    for (std::size_t d = 0; d < texts_.size(); ++d)
        for (std::uint64_t begin = 0; begin + kRunTokens <= texts_[d].size(); begin += kRunTokens)
            runs_.push_back({d, begin});
    Rng rng(options_.seed);
    for (std::size_t i = runs_.size(); i > 1; --i) std::swap(runs_[i - 1], runs_[rng.below(i)]);
    std::uint64_t wanted = (options_.gists + kGistsPerRun - 1) / kGistsPerRun;
    wanted += (wanted + kRunsPerKeptBack - 2) / (kRunsPerKeptBack - 1);
    if (runs_.size() > wanted) runs_.resize(wanted);
    if (runs_.size() * (kRunsPerKeptBack - 1) / kRunsPerKeptBack * kGistsPerRun >=
        storage::kCodebookGistsMin)
        return {};
    return fail(ErrorCode::kInvalidInput,
                "the documents hold " + std::to_string(runs_.size()) +
                    " whole runs of 1,024 tokens, too few to learn a codebook from");
}

// The run's gists, as ingest makes them, and their parent.
Result<void> CodecTraining::encode_run(const RunOfText& run, KeysValues& out) {
    const std::vector<TokenId>& text = texts_[run.document];
    const std::vector<ReadWindow> windows = read_windows(text, {run.begin, run.begin + kRunTokens});
    for (const ReadWindow& window : windows) report_.tokens_read += window.tokens.size();
    MC_ASSIGN(auto made, encoder_.encode_windows(windows, false));
    std::vector<Gist> family;
    for (std::vector<Gist>& of_window : made)
        std::move(of_window.begin(), of_window.end(), std::back_inserter(family));
    const std::vector<SiblingGists> families = {family};
    MC_ASSIGN(auto parents, encoder_.encode_parents(families));
    std::move(parents.begin(), parents.end(), std::back_inserter(family));
    for (Gist& gist : family) out.push_back(std::move(gist.kv));
    return {};
}

Result<void> CodecTraining::make_gists() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        MC_TRY(check_cancelled(cancelled_));
        show(TrainCodecStage::kGists, static_cast<double>(i) / static_cast<double>(runs_.size()));
        MC_TRY(encode_run(runs_[i], i % kRunsPerKeptBack == 0 ? kept_back_ : learned_));
    }
    // K-means and principal components may look at the first ones only.
    Rng rng(options_.seed + 1);
    for (std::size_t i = learned_.size(); i > 1; --i)
        std::swap(learned_[i - 1], learned_[rng.below(i)]);
    report_.gists = learned_.size();
    return {};
}

// A few windows say little of one number and much of a head: half the weight is the head's.
std::vector<float> steadied(std::vector<float> sensitivity, std::size_t head_dim) {
    for (std::size_t head = 0; head < sensitivity.size(); head += head_dim) {
        double sum = 0;
        for (std::size_t i = head; i < head + head_dim; ++i)
            sum += static_cast<double>(sensitivity[i]) * static_cast<double>(sensitivity[i]);
        const auto mean = static_cast<float>(sum / static_cast<double>(head_dim));
        for (std::size_t i = head; i < head + head_dim; ++i)
            sensitivity[i] = std::sqrt((sensitivity[i] * sensitivity[i] + mean) / 2);
    }
    return sensitivity;
}

Result<void> CodecTraining::weigh() {
    const std::size_t wanted = std::min<std::size_t>(options_.windows, runs_.size());
    std::vector<std::vector<Gist>> gists;
    std::vector<gistnet::OptimizerWindow> windows;
    gists.reserve(wanted);
    for (std::size_t i = 0; i < wanted; ++i) {
        MC_TRY(check_cancelled(cancelled_));
        show(TrainCodecStage::kWeights, static_cast<double>(i) / static_cast<double>(wanted));
        const auto text = std::span(texts_[runs_[i].document]).subspan(runs_[i].begin, kRunTokens);
        const auto context = text.first(kWeighedContext);
        const std::vector<ReadWindow> read = {{{context.begin(), context.end()}, 0}};
        MC_ASSIGN(auto made, encoder_.encode_windows(read, false));
        gists.push_back(std::move(made.front()));
        windows.push_back({gists.back(), context, text.subspan(kWeighedContext, kWeighedHorizon)});
    }
    if (windows.empty()) return {};
    auto found = gistnet::gist_sensitivity(model_, windows);
    // A model that gradients do not go through: every layer counts alike.
    if (!found && found.error().code() == ErrorCode::kUsage) return {};
    if (!found) return fail(std::move(found.error()));
    weights_ = steadied(std::move(*found), encoder_.info().shape.head_dim);
    report_.weighed = true;
    return {};
}

Result<void> CodecTraining::write_codebook() {
    storage::CodebookTraining training;
    training.seed = options_.seed;
    training.gist_bytes =
        static_cast<std::uint64_t>(options_.bytes_per_token * static_cast<double>(kBlockSize));
    MC_ASSIGN(storage::GistCodebook book,
              storage::train_codebook(
                  encoder_.info().shape, learned_, weights_, training,
                  [this](double share) { show(TrainCodecStage::kCodebook, share); }, cancelled_));
    book.base_model_hash = model_.hash();
    book.encoder_hash = encoder_.info().hash;
    book.encoder_name = encoder_.info().name;
    lm::SafetensorsMetadata metadata;
    metadata["base_model_name"] = model_.config().name;
    metadata["command"] = options_.command_line;
    metadata["seed"] = std::to_string(options_.seed);
    metadata["gists"] = std::to_string(report_.gists);
    metadata["weighed"] = report_.weighed ? "gradients" : "no";
    return save_codebook(options_.output, book, std::move(metadata));
}

// With the file as it will be used: in binary16.
Result<void> CodecTraining::measure() {
    MC_ASSIGN(const storage::GistCodebook book, load_codebook(options_.output.string()));
    const GistShape& shape = encoder_.info().shape;
    MC_ASSIGN(const auto coder, storage::GistCoder::make(storage::GistCodec::kPq, shape, &book));
    std::vector<std::byte> bytes(coder->gist_bytes());
    std::vector<std::uint16_t> back(shape.kv_count());
    double error[2] = {0, 0};  // of keys and values
    double spread[2] = {0, 0};
    const std::size_t part = std::size_t{shape.kv_head_count} * shape.head_dim;
    for (const std::vector<std::uint16_t>& kv : kept_back_) {
        MC_TRY(coder->encode(kv, bytes));
        coder->decode(bytes, back);
        for (std::size_t i = 0; i < kv.size(); ++i) {
            const double scale = static_cast<double>(book.scale[i]);
            const double value = static_cast<double>(storage::half_to_float(kv[i]));
            const double off = value - static_cast<double>(storage::half_to_float(back[i]));
            const double away = value - static_cast<double>(book.centre[i]);
            error[i / part % 2] += off * off * scale * scale;
            spread[i / part % 2] += away * away * scale * scale;
        }
    }
    report_.error_share_keys = error[0] / spread[0];
    report_.error_share_values = error[1] / spread[1];
    report_.gist_bytes = coder->gist_bytes();
    report_.bytes_per_token =
        static_cast<double>(report_.gist_bytes) / static_cast<double>(kBlockSize);
    std::error_code ignored;
    report_.file_bytes = std::filesystem::file_size(options_.output, ignored);
    return {};
}

Result<TrainCodecReport> CodecTraining::run() {
    if (options_.documents.empty()) return fail(ErrorCode::kUsage, "no documents to train on");
    MC_TRY(read_documents());
    MC_TRY(plan_runs());
    MC_TRY(make_gists());
    MC_TRY(weigh());
    MC_TRY(write_codebook());
    MC_TRY(measure());
    return report_;
}

}  // namespace

Result<TrainCodecReport> train_codec(const lm::BaseModel& model, GistEncoder& encoder,
                                     const TrainCodecOptions& options,
                                     const TrainCodecCallback& progress,
                                     const std::atomic<bool>* cancelled) {
    return CodecTraining(model, encoder, options, progress, cancelled).run();
}

}  // namespace mc::runtime
