// SPDX-License-Identifier: Apache-2.0
#include "gistnet/base_model_gist_encoder.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/index/index_encoder.h"
#include "gistnet/open_windows.h"
#include "gistnet/pooling/choose_pooler.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/pooling/pooler.h"
#include "lm/torch/torch_model.h"
#include "tree/read_window.h"

namespace mc::gistnet {
namespace {

using lm::torch_guard;
using lm::TorchModel;

constexpr std::int64_t kBlock = kBlockSize;

Hash128 encoder_hash(const std::string& name, Hash128 base_model,
                     std::initializer_list<Hash128> parameters) {
    std::string text = name + "\n" + to_hex(base_model);
    for (const Hash128& hash : parameters)
        if (hash != Hash128()) text += "\n" + to_hex(hash);
    return xxh3_128(std::as_bytes(std::span(text.data(), text.size())));
}

class BaseModelGistEncoder final : public GistEncoder {
  public:
    BaseModelGistEncoder(const lm::BaseModel& model, ChosenPooler chosen,
                         std::unique_ptr<IndexEncoder> index, std::uint32_t windows_per_batch)
        : model_(model.torch_model()),
          pooler_(std::move(chosen.pooler)),
          index_(std::move(index)),
          windows_per_batch_(windows_per_batch),
          open_windows_(model_) {
        info_.name = pooler_->name() + index_->name_suffix();
        info_.hash = encoder_hash(pooler_->name() + index_->hashed_suffix(), model.hash(),
                                  {chosen.parameters, index_->parameters()});
        info_.shape = model.config().gist_shape();
        info_.shape.index_dim = index_->dim();
    }

    const EncoderInfo& info() const override { return info_; }

    Result<std::vector<std::vector<Gist>>> encode_windows(std::span<const ReadWindow> windows,
                                                          bool with_statistics) override;
    Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) override;

  private:
    Result<void> check_window(const ReadWindow& window) const;
    Result<void> check_family(const SiblingGists& family) const;
    std::size_t batch_size(std::size_t window_tokens) const;
    std::vector<std::vector<Gist>> encode_batch(std::span<const ReadWindow* const> windows,
                                                bool with_statistics);
    void fill_statistics(std::span<const std::vector<TokenId>> read, const at::Tensor& hidden,
                         std::int64_t kept_begin, std::vector<Gist>& gists) const;

    const TorchModel& model_;
    std::unique_ptr<Pooler> pooler_;
    std::unique_ptr<IndexEncoder> index_;
    std::uint32_t windows_per_batch_;
    OpenWindows open_windows_;
    EncoderInfo info_;
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

// Windows of one shape, in one pass; a single one that may still grow is read behind what was read
// of it before (statistics want the state before its new tokens, too).
std::vector<std::vector<Gist>> BaseModelGistEncoder::encode_batch(
    std::span<const ReadWindow* const> windows, bool with_statistics) {
    std::vector<std::vector<TokenId>> read;
    std::vector<TokenId> new_tokens;
    for (const ReadWindow* window : windows) {
        std::vector<TokenId> tokens = {model_.tokenizer->bos()};
        tokens.insert(tokens.end(), window->tokens.begin(), window->tokens.end());
        read.push_back(std::move(tokens));
        new_tokens.insert(new_tokens.end(), window->tokens.begin() + window->context_count,
                          window->tokens.end());
    }
    const auto kept_begin = 1 + static_cast<std::int64_t>(windows.front()->context_count);
    const bool may_grow =
        windows.size() == 1 && !with_statistics && new_tokens.size() < kWindowNewTokens;
    const lm::ReadOutput out = may_grow
                                   ? open_windows_.read(read.front(), kept_begin, index_->layers())
                                   : model_.read_windows(read, kept_begin, index_->layers());
    const std::int64_t kept_in_output = out.hidden.size(1) - out.keys.size(3);
    std::vector<Gist> gists = make_gists(pooler_->pool_block(blocks_of({out.keys, out.values})),
                                         index_->block_vectors(out, kept_in_output, new_tokens));
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

}  // namespace

bool has_trained_index(const std::string& encoder_name) {
    return encoder_name.ends_with(kTrainedIndexSuffix);
}

Result<std::unique_ptr<GistEncoder>> make_gist_encoder(const lm::BaseModel& model,
                                                       const GistEncoderOptions& options) {
    MC_ASSIGN(ChosenPooler chosen, choose_pooler(options.pooling, model));
    MC_ASSIGN(auto index, choose_index(options.index, model));
    return std::make_unique<BaseModelGistEncoder>(model, std::move(chosen), std::move(index),
                                                  options.windows_per_batch);
}

}  // namespace mc::gistnet
