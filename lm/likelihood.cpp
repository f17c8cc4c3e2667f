// SPDX-License-Identifier: Apache-2.0
#include "lm/likelihood.h"

#include <algorithm>
#include <string>

#include "lm/torch/entry_reader.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {
namespace {

constexpr std::uint32_t kTopMax = 1000;
// Logits of 256 rows of a 49,152-word vocabulary: 50 MB in f32.
constexpr std::int64_t kTopRowsPerPass = 256;

// The likeliest tokens of predictions (n, W), row by row.
void add_top(const TorchModel& model, const at::Tensor& states, std::int64_t k,
             std::vector<TokenLikelihood>& out) {
    for (std::int64_t begin = 0; begin < states.size(0); begin += kTopRowsPerPass) {
        const std::int64_t count = std::min(kTopRowsPerPass, states.size(0) - begin);
        const at::Tensor logits = at::linear(states.narrow(0, begin, count), model.weights.head);
        const at::Tensor log_sum_exp = reduce_logits(logits, false).log_sum_exp.unsqueeze(1);
        const auto [values, ids] = at::topk(logits, k);
        const at::Tensor scores = (values.to(at::kFloat) - log_sum_exp).to(at::kCPU).contiguous();
        const at::Tensor tokens = ids.to(at::kCPU).contiguous();
        const float* score = scores.const_data_ptr<float>();
        const auto* token = tokens.const_data_ptr<std::int64_t>();
        for (std::int64_t row = begin; row < begin + count; ++row)
            for (std::int64_t i = 0; i < k; ++i)
                out[static_cast<std::size_t>(row)].top.emplace_back(static_cast<TokenId>(*token++),
                                                                    *score++);
    }
}

// Reads BOS and the tokens, and scores those from first on.
std::vector<TokenLikelihood> score_window(const TorchModel& model, std::vector<Entry> entries,
                                          std::span<const TokenId> tokens, std::size_t first,
                                          std::uint32_t top_k) {
    std::vector<std::vector<Entry>> rows;
    rows.push_back(std::move(entries));
    KvCache cache = model.new_cache(1, CacheKind::kPerLayer);
    const at::Tensor hidden =
        read_entries(model, cache, rows, 0, rows.front().size()).select(0, 0);  // (n + 1, W)
    const auto count = static_cast<std::int64_t>(tokens.size() - first);
    // BOS is entry 0, so the entry before token i is entry i.
    const at::Tensor states = hidden.narrow(0, static_cast<std::int64_t>(first), count);
    const Likelihoods scored = model.score(states, model.token_index(tokens.subspan(first)), true);
    const at::Tensor nll = scored.nll.to(at::kCPU).contiguous();
    const at::Tensor entropy = scored.entropy.to(at::kCPU).contiguous();
    std::vector<TokenLikelihood> out(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].token = tokens[first + i];
        out[i].nll = nll.const_data_ptr<float>()[i];
        out[i].entropy = entropy.const_data_ptr<float>()[i];
    }
    const std::int64_t k = std::min<std::int64_t>(top_k, model.config.vocabulary_size);
    if (k > 0) add_top(model, states, k, out);
    return out;
}

}  // namespace

Result<LikelihoodScorer> LikelihoodScorer::make(const BaseModel& model,
                                                const LikelihoodOptions& options,
                                                Receiver receiver) {
    const std::uint32_t context = model.config().context_length;
    if (options.window < 2 || options.window > context)
        return fail(ErrorCode::kUsage,
                    "a window has from 2 to " + std::to_string(context) + " entries");
    if (options.stride < 1 || options.stride >= options.window)
        return fail(ErrorCode::kUsage, "a stride is at least 1 and below the window");
    if (options.top_k > kTopMax)
        return fail(ErrorCode::kUsage, "top-k is at most " + std::to_string(kTopMax));
    return LikelihoodScorer(model, options, std::move(receiver));
}

LikelihoodScorer::LikelihoodScorer(const BaseModel& model, const LikelihoodOptions& options,
                                   Receiver receiver)
    : model_(&model), options_(options), receiver_(std::move(receiver)) {}

Result<void> LikelihoodScorer::push(std::span<const TokenId> tokens) {
    while (!tokens.empty()) {
        const bool is_first = held_begin_ == 0 && scored_ == 0;
        const std::size_t wanted = is_first ? options_.window - 1 : scored_ + options_.stride;
        const std::size_t taken = std::min(tokens.size(), wanted - held_.size());
        held_.insert(held_.end(), tokens.begin(),
                     tokens.begin() + static_cast<std::ptrdiff_t>(taken));
        tokens = tokens.subspan(taken);
        if (held_.size() == wanted) MC_TRY(score_to(wanted));
    }
    return {};
}

Result<void> LikelihoodScorer::finish() {
    if (scored_ == held_.size()) return {};
    return score_to(held_.size());
}

Result<void> LikelihoodScorer::score_to(std::size_t end) {
    const std::size_t room = options_.window - 1;
    const std::size_t begin = end > room ? end - room : 0;
    const std::span<const TokenId> tokens = std::span(held_).subspan(begin, end - begin);
    std::vector<TokenId> read = {model_->tokenizer().bos()};
    read.insert(read.end(), tokens.begin(), tokens.end());
    const std::vector<Segment> segment = {Segment::of_tokens(std::move(read))};
    MC_ASSIGN(std::vector<Entry> entries, flatten_segments(segment, model_->config()));
    const std::size_t first = scored_ - begin;
    MC_ASSIGN(std::vector<TokenLikelihood> scored, torch_guard([&] {
                  const c10::InferenceMode inference;
                  return score_window(model_->torch_model(), std::move(entries), tokens, first,
                                      options_.top_k);
              }));
    for (std::size_t i = 0; i < scored.size(); ++i) scored[i].index = held_begin_ + scored_ + i;
    MC_TRY(receiver_(scored));
    // What the next window may read is kept.
    const std::size_t dropped = end > room ? end - room : 0;
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(dropped));
    held_begin_ += dropped;
    scored_ = end - dropped;
    return {};
}

}  // namespace mc::lm
