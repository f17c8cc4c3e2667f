// SPDX-License-Identifier: Apache-2.0
#include "gistnet/index/index_encoder.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/index/index_file.h"
#include "gistnet/pooling/calibration_text.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/pooling/gistnet_file.h"
#include "gistnet/pooling/shipped_weights.h"

namespace mc::gistnet {
namespace {

using lm::TorchModel;

// The mean last hidden state, measured from that of the calibration text.
class MeanIndex final : public IndexEncoder {
  public:
    explicit MeanIndex(const TorchModel& model) : model_(model) {
        std::vector<TokenId> tokens = model.tokenizer->encode(kCalibrationText);
        tokens.resize(std::min<std::size_t>(tokens.size(), model.config.context_length - 1));
        centre_ = mean_hidden(tokens);
    }

    std::string name_suffix() const override { return ""; }

    Hash128 parameters() const override { return {}; }

    std::uint32_t dim() const override { return model_.config.hidden_dim; }

    const std::vector<std::int64_t>& layers() const override { return no_layers_; }

    bool needs_hidden() const override { return true; }

    at::Tensor block_vectors(const lm::ReadOutput& read, std::int64_t kept_begin,
                             std::span<const TokenId>) const override {
        const std::int64_t count = read.hidden.size(1) - kept_begin;
        const at::Tensor means = read.hidden.narrow(1, kept_begin, count)
                                     .unflatten(1, {-1, static_cast<std::int64_t>(kBlockSize)})
                                     .mean(2, false, at::kFloat)
                                     .flatten(0, 1);  // (B × blocks, W)
        return at_unit_length(means - centre_);
    }

    at::Tensor text_vectors(std::span<const std::vector<TokenId>> texts) const override {
        std::vector<at::Tensor> means;
        for (const std::vector<TokenId>& text : texts) means.push_back(mean_hidden(text));
        return at_unit_length(at::stack(means) - centre_);
    }

  private:
    // (W) f32, of tokens read after BOS, BOS left out.
    at::Tensor mean_hidden(std::span<const TokenId> tokens) const {
        std::vector<TokenId> read = {model_.tokenizer->bos()};
        read.insert(read.end(), tokens.begin(), tokens.end());
        const auto count = static_cast<std::int64_t>(read.size());
        const std::vector<std::vector<TokenId>> window = {std::move(read)};
        const at::Tensor hidden = model_.read_windows(window, count).hidden.select(0, 0);
        return hidden.narrow(0, 1, count - 1).mean(0, false, at::kFloat);
    }

    const TorchModel& model_;
    std::vector<std::int64_t> no_layers_;
    at::Tensor centre_;  // (W) f32
};

class ProjectedIndex final : public IndexEncoder {
  public:
    ProjectedIndex(const TorchModel& model, IndexProjection projection, Hash128 parameters)
        : model_(model), projection_(std::move(projection)), parameters_(parameters) {
        for (at::Tensor* x : {&projection_.token_weights, &projection_.map, &projection_.bias})
            *x = x->to(model.device);
    }

    std::string name_suffix() const override { return std::string(kTrainedIndexSuffix); }

    Hash128 parameters() const override { return parameters_; }

    std::uint32_t dim() const override {
        return static_cast<std::uint32_t>(projection_.bias.size(0));
    }

    const std::vector<std::int64_t>& layers() const override { return projection_.layers; }

    bool needs_hidden() const override { return false; }

    at::Tensor block_vectors(const lm::ReadOutput& read, std::int64_t,
                             std::span<const TokenId> tokens) const override {
        MC_CHECK(read.residual_layers == projection_.layers, "the pass kept other layers");
        return projection_.project(
            block_features(model_, projection_.token_weights, read.residuals, tokens));
    }

    at::Tensor text_vectors(std::span<const std::vector<TokenId>> texts) const override {
        return projection_.project(
            text_features(model_, projection_.token_weights, projection_.layers, texts));
    }

  private:
    const TorchModel& model_;
    IndexProjection projection_;
    Hash128 parameters_;
};

Result<std::unique_ptr<IndexEncoder>> projected(const lm::SafetensorsFile& file,
                                                const lm::BaseModel& model) {
    MC_ASSIGN(IndexProjection projection, parse_index(file, model));
    return std::make_unique<ProjectedIndex>(model.torch_model(), std::move(projection),
                                            xxh3_128(file.bytes()));
}

Result<std::unique_ptr<IndexEncoder>> untrained(const lm::BaseModel& model) {
    return lm::torch_guard([&]() -> std::unique_ptr<IndexEncoder> {
        const c10::InferenceMode inference;
        return std::make_unique<MeanIndex>(model.torch_model());
    });
}

// Gists of a store whose passages are what is searched. Their keys and values are those of the same
// encoder with the program's own projection, and its codebook and stores know them by that hash.
class NoIndex final : public IndexEncoder {
  public:
    explicit NoIndex(Hash128 projection) : projection_(projection) {}

    std::string name_suffix() const override { return ""; }

    std::string hashed_suffix() const override {
        return projection_ == Hash128() ? "" : std::string(kTrainedIndexSuffix);
    }

    Hash128 parameters() const override { return projection_; }

    std::uint32_t dim() const override { return 0; }

    const std::vector<std::int64_t>& layers() const override { return layers_; }

    bool needs_hidden() const override { return false; }

    at::Tensor block_vectors(const lm::ReadOutput&, std::int64_t,
                             std::span<const TokenId> tokens) const override {
        const auto blocks = static_cast<std::int64_t>(tokens.size() / kBlockSize);
        return at::empty({blocks, 0}, at::kFloat);
    }

    at::Tensor text_vectors(std::span<const std::vector<TokenId>> texts) const override {
        return at::empty({static_cast<std::int64_t>(texts.size()), 0}, at::kFloat);
    }

  private:
    Hash128 projection_;
    std::vector<std::int64_t> layers_;
};

}  // namespace

Result<std::unique_ptr<IndexEncoder>> choose_index(const std::string& setting,
                                                   const lm::BaseModel& model) {
    if (setting == "mean") return untrained(model);
    if (setting == "auto" || setting == "none") {
        MC_ASSIGN(const auto shipped,
                  lm::SafetensorsFile::parse(shipped_index(), "the program's own index weights"));
        const bool fits = base_model_of(*shipped) == to_hex(model.hash());
        if (setting == "none")
            return std::make_unique<NoIndex>(fits ? xxh3_128(shipped->bytes()) : Hash128());
        if (!fits) return untrained(model);
        return projected(*shipped, model);
    }
    MC_ASSIGN(const auto file, lm::SafetensorsFile::open(setting));
    return projected(*file, model);
}

}  // namespace mc::gistnet
