// SPDX-License-Identifier: Apache-2.0
#include "gistnet/base_model_gist_encoder.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/internal/calibration_text.h"
#include "gistnet/internal/choose_pooler.h"
#include "gistnet/internal/gist_tensors.h"
#include "gistnet/internal/pooler.h"
#include "lm/internal/torch_model.h"

namespace mc::gistnet {
namespace {

using lm::torch_guard;
using lm::TorchModel;

constexpr std::int64_t kBlock = kBlockSize;

Hash128 encoder_hash(const std::string& name, Hash128 parameters, Hash128 base_model) {
    std::string text = name + "\n" + to_hex(base_model);
    if (parameters != Hash128()) text += "\n" + to_hex(parameters);
    return xxh3_128(std::as_bytes(std::span(text.data(), text.size())));
}

class BaseModelGistEncoder final : public GistEncoder {
  public:
    BaseModelGistEncoder(const lm::BaseModel& model, ChosenPooler chosen,
                         std::uint32_t windows_per_batch)
        : model_(model.torch_model()),
          pooler_(std::move(chosen.pooler)),
          windows_per_batch_(windows_per_batch) {
        info_.name = pooler_->name();
        info_.hash = encoder_hash(info_.name, chosen.parameters, model.hash());
        info_.shape = model.config().gist_shape();
        info_.shape.index_dim = model.config().hidden_dim;
    }

    const EncoderInfo& info() const override { return info_; }

    // Reads the calibration text. Called once, before anything else.
    Result<void> find_centre();

    Result<std::vector<std::vector<Gist>>> encode_windows(std::span<const ReadWindow> windows,
                                                          bool with_statistics) override;
    Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) override;
    Result<std::vector<float>> encode_query(std::span<const TokenId> tokens) override;

  private:
    Result<void> check_window(const ReadWindow& window) const;
    Result<void> check_family(const SiblingGists& family) const;
    std::size_t batch_size(std::size_t window_tokens) const;
    at::Tensor mean_hidden(std::span<const TokenId> tokens) const;
    std::vector<std::vector<Gist>> encode_batch(std::span<const ReadWindow* const> windows,
                                                bool with_statistics) const;
    void fill_statistics(std::span<const std::vector<TokenId>> read, const at::Tensor& hidden,
                         std::int64_t kept_begin, std::vector<Gist>& gists) const;

    TorchModel& model_;
    std::unique_ptr<Pooler> pooler_;
    std::uint32_t windows_per_batch_;
    EncoderInfo info_;
    at::Tensor centre_;  // (W) f32
};

Result<void> BaseModelGistEncoder::check_window(const ReadWindow& window) const {
    MC_CHECK(window.tokens.size() > window.context_count &&
                 (window.tokens.size() - window.context_count) % kBlockSize == 0,
             "a window holds whole blocks of new tokens");
    if (window.tokens.size() + 1 <= model_.config.context_length) return {};
    return fail(ErrorCode::kInvalidInput, "the model's context of " +
                                              std::to_string(model_.config.context_length) +
                                              " tokens is too short for read windows of " +
                                              std::to_string(window.tokens.size()));
}

Result<void> BaseModelGistEncoder::check_family(const SiblingGists& family) const {
    MC_CHECK(family.size() == kBlockSize, "a family is 32 siblings");
    for (const Gist& gist : family)
        if (gist.kv.size() != info_.shape.kv_count() ||
            gist.index_vector.size() != info_.shape.index_dim)
            return fail(ErrorCode::kInvalidInput, "a gist was made for another base model");
    return {};
}

// Windows that run together: enough to fill the device, few enough that activations stay in the
// processor's cache or the device's memory.
std::size_t BaseModelGistEncoder::batch_size(std::size_t window_tokens) const {
    if (windows_per_batch_ != 0) return windows_per_batch_;
    const auto fitting = static_cast<std::size_t>(model_.entries_per_pass()) / (window_tokens + 1);
    return std::max<std::size_t>(1, fitting);
}

// Mean last-layer hidden state (W) f32 of tokens read after BOS, BOS left out.
at::Tensor BaseModelGistEncoder::mean_hidden(std::span<const TokenId> tokens) const {
    std::vector<TokenId> read = {model_.tokenizer->bos()};
    read.insert(read.end(), tokens.begin(), tokens.end());
    const auto count = static_cast<std::int64_t>(read.size());
    const std::vector<std::vector<TokenId>> window = {std::move(read)};
    const at::Tensor hidden = model_.read_windows(window, count).hidden.select(0, 0);
    return hidden.narrow(0, 1, count - 1).mean(0, false, at::kFloat);
}

Result<void> BaseModelGistEncoder::find_centre() {
    std::vector<TokenId> tokens = model_.tokenizer->encode(kCalibrationText);
    tokens.resize(std::min<std::size_t>(tokens.size(), model_.config.context_length - 1));
    return torch_guard([&] {
        const c10::InferenceMode inference;
        centre_ = mean_hidden(tokens);
    });
}

void BaseModelGistEncoder::fill_statistics(std::span<const std::vector<TokenId>> read,
                                           const at::Tensor& hidden, std::int64_t kept_begin,
                                           std::vector<Gist>& gists) const {
    std::vector<TokenId> targets;
    for (const std::vector<TokenId>& tokens : read)
        targets.insert(targets.end(), tokens.begin() + kept_begin, tokens.end());
    const std::int64_t count = hidden.size(1) - kept_begin;
    // The state before a token predicts it; BOS stands before the first.
    const at::Tensor before = hidden.narrow(1, kept_begin - 1, count).flatten(0, 1);
    const lm::Likelihoods scored = model_.score(before, model_.token_index(targets), true);
    const at::Tensor nll = scored.nll.view({-1, kBlock}).mean(1).to(at::kCPU);
    const at::Tensor entropy = scored.entropy.view({-1, kBlock}).mean(1).to(at::kCPU);
    for (std::size_t i = 0; i < gists.size(); ++i)
        gists[i].statistics = {nll.const_data_ptr<float>()[i], entropy.const_data_ptr<float>()[i]};
}

// Windows of one shape, in one pass.
std::vector<std::vector<Gist>> BaseModelGistEncoder::encode_batch(
    std::span<const ReadWindow* const> windows, bool with_statistics) const {
    std::vector<std::vector<TokenId>> read;
    for (const ReadWindow* window : windows) {
        std::vector<TokenId> tokens = {model_.tokenizer->bos()};
        tokens.insert(tokens.end(), window->tokens.begin(), window->tokens.end());
        read.push_back(std::move(tokens));
    }
    const auto kept_begin = 1 + static_cast<std::int64_t>(windows.front()->context_count);
    const lm::ReadOutput out = model_.read_windows(read, kept_begin);
    const std::int64_t count = out.keys.size(3);
    const at::Tensor means = out.hidden.narrow(1, kept_begin, count)
                                 .unflatten(1, {-1, kBlock})
                                 .mean(2, false, at::kFloat)
                                 .flatten(0, 1);  // (B × blocks, W)
    std::vector<Gist> gists = make_gists(pooler_->pool_block(blocks_of({out.keys, out.values})),
                                         at_unit_length(means - centre_));
    if (with_statistics) fill_statistics(read, out.hidden, kept_begin, gists);

    const std::size_t per_window = gists.size() / windows.size();
    std::vector<std::vector<Gist>> by_window(windows.size());
    for (std::size_t i = 0; i < gists.size(); ++i)
        by_window[i / per_window].push_back(std::move(gists[i]));
    return by_window;
}

Result<std::vector<std::vector<Gist>>> BaseModelGistEncoder::encode_windows(
    std::span<const ReadWindow> windows, bool with_statistics) {
    // Windows of equal length and context run together.
    std::map<std::pair<std::size_t, std::uint32_t>, std::vector<std::size_t>> shapes;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        MC_TRY(check_window(windows[i]));
        shapes[{windows[i].tokens.size(), windows[i].context_count}].push_back(i);
    }
    return torch_guard([&] {
        const c10::InferenceMode inference;
        std::vector<std::vector<Gist>> out(windows.size());
        for (const auto& [shape, members] : shapes) {
            const std::size_t batch = batch_size(shape.first);
            for (std::size_t first = 0; first < members.size(); first += batch) {
                const std::size_t count = std::min(batch, members.size() - first);
                std::vector<const ReadWindow*> together;
                for (std::size_t i = 0; i < count; ++i)
                    together.push_back(&windows[members[first + i]]);
                std::vector<std::vector<Gist>> made = encode_batch(together, with_statistics);
                for (std::size_t i = 0; i < count; ++i)
                    out[members[first + i]] = std::move(made[i]);
            }
        }
        return out;
    });
}

// Mean over a family of a statistic that is per token; NaN when any child does not know.
float mean_of(SiblingGists family, float NodeStatistics::*member) {
    double sum = 0;
    for (const Gist& gist : family) sum += static_cast<double>(gist.statistics.*member);
    return static_cast<float>(sum / static_cast<double>(family.size()));
}

Result<std::vector<Gist>> BaseModelGistEncoder::encode_parents(
    std::span<const SiblingGists> families) {
    if (families.empty()) return std::vector<Gist>();
    for (const SiblingGists& family : families) MC_TRY(check_family(family));
    return torch_guard([&] {
        const c10::InferenceMode inference;
        const KeysValues pooled =
            pooler_->pool_children(stack_children(families, info_.shape, model_.device));
        const at::Tensor index = stack_index_vectors(families, info_.shape).mean(1);
        std::vector<Gist> gists = make_gists(pooled, at_unit_length(index));
        for (std::size_t i = 0; i < gists.size(); ++i)
            gists[i].statistics = {mean_of(families[i], &NodeStatistics::mean_nll),
                                   mean_of(families[i], &NodeStatistics::mean_entropy)};
        return gists;
    });
}

Result<std::vector<float>> BaseModelGistEncoder::encode_query(std::span<const TokenId> tokens) {
    if (tokens.empty()) return fail(ErrorCode::kInvalidInput, "the question is empty");
    if (tokens.size() + 1 > model_.config.context_length)
        return fail(ErrorCode::kInvalidInput, "a question of " + std::to_string(tokens.size()) +
                                                  " tokens does not fit the model's context of " +
                                                  std::to_string(model_.config.context_length));
    return torch_guard([&] {
        const c10::InferenceMode inference;
        const at::Tensor x =
            at_unit_length((mean_hidden(tokens) - centre_).unsqueeze(0)).to(at::kCPU).contiguous();
        const float* data = x.const_data_ptr<float>();
        return std::vector<float>(data, data + x.numel());
    });
}

}  // namespace

Result<std::unique_ptr<GistEncoder>> make_gist_encoder(const lm::BaseModel& model,
                                                       const GistEncoderOptions& options) {
    MC_ASSIGN(ChosenPooler chosen, choose_pooler(options.pooling, model));
    auto encoder =
        std::make_unique<BaseModelGistEncoder>(model, std::move(chosen), options.windows_per_batch);
    MC_TRY(encoder->find_centre());
    return encoder;
}

}  // namespace mc::gistnet
