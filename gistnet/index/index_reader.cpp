// SPDX-License-Identifier: Apache-2.0
#include "gistnet/index/index_reader.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/index/index_encoder.h"

namespace mc::gistnet {
namespace {

std::vector<float> values_of(const at::Tensor& x) {
    const at::Tensor rows = x.to(at::kCPU, at::kFloat).contiguous();
    const float* data = rows.const_data_ptr<float>();
    return {data, data + rows.numel()};
}

class ModelIndexReader final : public IndexReader {
  public:
    ModelIndexReader(const lm::BaseModel& model, std::vector<std::unique_ptr<IndexEncoder>> indexes)
        : model_(model.torch_model()), indexes_(std::move(indexes)) {
        for (const auto& index : indexes_) {
            kinds_.push_back({index->dim(), index->parameters()});
            layers_.insert(layers_.end(), index->layers().begin(), index->layers().end());
        }
        std::sort(layers_.begin(), layers_.end());
        layers_.erase(std::unique(layers_.begin(), layers_.end()), layers_.end());
    }

    const std::vector<Kind>& kinds() const override { return kinds_; }

    Result<std::vector<std::vector<float>>> read_window(const ReadWindow& window) const override {
        MC_CHECK(window.tokens.size() > window.context_count &&
                     (window.tokens.size() - window.context_count) % kBlockSize == 0,
                 "a window holds whole blocks of new tokens");
        MC_TRY(check_length(window.tokens.size()));
        return lm::torch_guard([&] {
            const c10::InferenceMode inference;
            std::vector<TokenId> tokens = {model_.tokenizer->bos()};
            tokens.insert(tokens.end(), window.tokens.begin(), window.tokens.end());
            const std::int64_t kept_begin = 1 + std::int64_t{window.context_count};
            const std::span<const TokenId> fresh =
                std::span(window.tokens).subspan(window.context_count);
            const std::vector<std::vector<TokenId>> one = {std::move(tokens)};
            const lm::ReadOutput read = read_once(one, kept_begin);
            std::vector<std::vector<float>> out;
            for (const auto& index : indexes_)
                out.push_back(
                    values_of(index->block_vectors(view_of(read, *index), kept_begin, fresh)));
            return out;
        });
    }

    Result<std::vector<std::vector<float>>> read_texts(
        std::span<const std::vector<TokenId>> texts) const override {
        for (const std::vector<TokenId>& text : texts) MC_TRY(check_length(text.size()));
        return lm::torch_guard([&] {
            const c10::InferenceMode inference;
            std::vector<std::vector<float>> out;
            for (const auto& index : indexes_) out.push_back(values_of(index->text_vectors(texts)));
            return out;
        });
    }

  private:
    Result<void> check_length(std::size_t tokens) const {
        if (tokens > 0 && tokens + 1 <= model_.config.context_length) return {};
        return fail(ErrorCode::kInvalidInput,
                    "a text of " + std::to_string(tokens) +
                        " tokens is empty or does not fit the model's context of " +
                        std::to_string(model_.config.context_length));
    }

    // As much of a pass as the indexes need.
    lm::ReadOutput read_once(std::span<const std::vector<TokenId>> windows,
                             std::int64_t kept_begin) const {
        const bool is_whole = std::any_of(indexes_.begin(), indexes_.end(),
                                          [](const auto& index) { return index->needs_hidden(); });
        if (is_whole) return model_.read_windows(windows, kept_begin, layers_);
        lm::ReadOutput read;
        read.residual_layers = layers_;
        read.residuals = model_.read_residuals(windows, kept_begin, layers_);
        return read;
    }

    // A pass as one index asked for it: its own layers alone.
    lm::ReadOutput view_of(const lm::ReadOutput& read, const IndexEncoder& index) const {
        lm::ReadOutput view = read;
        view.residual_layers = index.layers();
        at::Tensor chosen =
            at::empty({static_cast<std::int64_t>(view.residual_layers.size())}, at::kLong);
        for (std::size_t i = 0; i < view.residual_layers.size(); ++i)
            chosen.data_ptr<std::int64_t>()[i] =
                std::lower_bound(layers_.begin(), layers_.end(), view.residual_layers[i]) -
                layers_.begin();
        view.residuals = read.residuals.index_select(1, chosen.to(read.residuals.device()));
        return view;
    }

    const lm::TorchModel& model_;
    std::vector<std::unique_ptr<IndexEncoder>> indexes_;
    std::vector<Kind> kinds_;
    std::vector<std::int64_t> layers_;
};

}  // namespace

Result<std::unique_ptr<IndexReader>> IndexReader::make(const lm::BaseModel& model,
                                                       const std::vector<std::string>& settings) {
    std::vector<std::unique_ptr<IndexEncoder>> indexes;
    for (const std::string& setting : settings) {
        MC_ASSIGN(auto index, choose_index(setting, model));
        indexes.push_back(std::move(index));
    }
    return std::make_unique<ModelIndexReader>(model, std::move(indexes));
}

}  // namespace mc::gistnet
