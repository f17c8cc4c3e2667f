// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/torch_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "lm/torch/attention.h"

namespace mc::lm {
namespace {

// Logits of 256 rows of a 49,152-word vocabulary: 25 MB in bf16, 50 MB in f32.
constexpr std::int64_t kLogitRowsPerPass = 256;

// Activations and cache of one pass; with the weights and the allocator's slack a process stays
// below 1 GB.
constexpr std::int64_t kPassBytesMax = 256LL << 20;

// On the CPU larger passes are slower: 6,152 entries at once took 1.14 times as long an entry as
// 769, whose activations stay in the cache.
constexpr std::int64_t kCpuEntriesPerPass = 1024;

at::Tensor position_tensor(std::span<const std::int64_t> positions) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(positions.size())}, at::kLong);
    std::copy(positions.begin(), positions.end(), out.data_ptr<std::int64_t>());
    return out;
}

// Queries and keys of projections (N, (Hq + 2 H) × D) become each head's RMS norm times weights
// (Hq + H, D); values stay.
at::Tensor normalize_heads(const at::Tensor& qkv, const at::Tensor& weights, double epsilon) {
    const at::Tensor heads = qkv.unflatten(-1, {-1, weights.size(1)});
    const std::int64_t normed = weights.size(0);
    const at::Tensor x = heads.narrow(1, 0, normed).to(at::kFloat);
    const at::Tensor scale = (x.square().mean(-1, true) + epsilon).rsqrt();
    const at::Tensor values = heads.narrow(1, normed, heads.size(1) - normed);
    return at::cat({(x * scale * weights).to(qkv.scalar_type()), values}, 1).flatten(1);
}

// (N, (Hq + 2 H) × D): queries, keys and values before rotation.
at::Tensor project(const at::Tensor& x, const LayerWeights& layer, double epsilon) {
    at::Tensor qkv = product(x, layer.qkv, layer.panels.qkv);
    if (layer.qkv_bias.defined()) qkv = qkv + layer.qkv_bias;
    return layer.head_norms.defined() ? normalize_heads(qkv, layer.head_norms, epsilon) : qkv;
}

// Whether the one-token path may run: nothing that autograd records, keys and values kept by layer.
bool decodes(const TorchModel& model, const at::Tensor& inputs, KvCache& cache) {
    const auto recorded = [](const at::Tensor& x) {
        return c10::GradMode::is_enabled() && x.requires_grad();
    };
    if (model.decoder == nullptr || cache.kind() != CacheKind::kPerLayer || recorded(inputs))
        return false;
    for (std::size_t l = 0; l < model.weights.layers.size(); ++l)
        if (recorded(cache.keys(l)) || recorded(cache.values(l)) ||
            !cache.keys(l).is_contiguous() || !cache.values(l).is_contiguous())
            return false;
    return true;
}

// Keys and values (B, Hq + 2 H heads in each step of qkv) of the last inputs, before rotation.
void keep_keys_values(ReadOutput& kept, std::int64_t layer, const at::Tensor& qkv,
                      const ModelConfig& config) {
    if (!kept.keys.defined()) return;
    const std::int64_t kv_heads = config.kv_head_count;
    const std::int64_t count = kept.keys.size(3);
    const at::Tensor heads = qkv.narrow(1, qkv.size(1) - count, count)
                                 .unflatten(-1, {-1, std::int64_t{config.head_dim}})
                                 .transpose(1, 2);  // (B, Hq + 2 H, kept, D)
    kept.keys.select(1, layer).copy_(heads.narrow(1, config.head_count, kv_heads));
    kept.values.select(1, layer).copy_(heads.narrow(1, config.head_count + kv_heads, kv_heads));
}

// The same of queries.
void keep_queries(ReadOutput& kept, std::int64_t layer, const at::Tensor& qkv,
                  const ModelConfig& config) {
    const std::int64_t count = kept.queries.size(3);
    kept.queries.select(1, layer).copy_(qkv.narrow(1, qkv.size(1) - count, count)
                                            .unflatten(-1, {-1, std::int64_t{config.head_dim}})
                                            .narrow(2, 0, config.head_count)
                                            .transpose(1, 2));
}

// Copies the residual stream (B × T, W) that layer `layer` reads, if it is asked for. Returns
// whether the pass may end with it.
bool keep_residual(ReadOutput& kept, std::int64_t layer, const at::Tensor& residual,
                   double epsilon) {
    const auto found = std::find(kept.residual_layers.begin(), kept.residual_layers.end(), layer);
    if (found == kept.residual_layers.end()) return false;
    const at::Tensor slot = kept.residuals.select(1, found - kept.residual_layers.begin());
    const std::int64_t count = slot.size(1);
    const at::Tensor x = residual.view({slot.size(0), -1, slot.size(2)});
    const at::Tensor last = x.narrow(1, x.size(1) - count, count);
    slot.copy_(last * (last.square().mean(-1, true) + epsilon).rsqrt());
    return !kept.keys.defined() && std::next(found) == kept.residual_layers.end();
}

at::Tensor decode(Decoder& decoder, const at::Tensor& input, std::int64_t position,
                  KvCache& cache) {
    const at::Tensor row = input.to(at::kFloat).contiguous();
    at::Tensor hidden = at::empty(input.sizes(), input.options().dtype(at::kBFloat16));
    decoder.step(row.const_data_ptr<float>(), position, cache,
                 static_cast<Bf16Bits*>(hidden.data_ptr()));
    return hidden;
}

}  // namespace

TokenId TorchModel::vocabulary_id(TokenId token) const {
    MC_CHECK(token >= 0, "negative token id");
    const bool in_vocabulary = static_cast<std::uint32_t>(token) < config.vocabulary_size;
    return in_vocabulary ? token : tokenizer->stand_in_token();
}

at::Tensor TorchModel::token_index(std::span<const TokenId> tokens) const {
    at::Tensor out = at::empty({static_cast<std::int64_t>(tokens.size())}, at::kLong);
    auto* ids = out.data_ptr<std::int64_t>();
    for (const TokenId token : tokens) *ids++ = vocabulary_id(token);
    return out.to(device);
}

at::Tensor TorchModel::embed(std::span<const TokenId> tokens) const {
    return weights.embeddings.index_select(0, token_index(tokens));
}

KvCache TorchModel::new_cache(std::int64_t batch, CacheKind kind) const {
    return KvCache(config, batch, at::TensorOptions().dtype(dtype).device(device), kind);
}

at::Tensor TorchModel::forward(const at::Tensor& inputs, std::span<const std::int64_t> positions,
                               KvCache& cache, ReadOutput* kept) const {
    const std::int64_t batch = inputs.size(0);
    const std::int64_t steps = inputs.size(1);
    const std::int64_t rows = batch * steps;
    if (rows == 1 && kept == nullptr && decodes(*this, inputs, cache))
        return decode(*decoder, inputs, positions.front(), cache);
    const std::int64_t key_count = positions.back() + 1;
    const at::Tensor at_positions = position_tensor(positions);
    at::Tensor residual = inputs.to(at::kFloat, false, true).reshape({rows, -1});  // (N, W)
    at::Tensor delta;
    for (std::size_t l = 0; l < weights.layers.size(); ++l) {
        const LayerWeights& layer = weights.layers[l];
        at::Tensor x =
            add_rms_norm(residual, delta, layer.attention_norm, config.norm_epsilon, dtype);
        const auto layer_index = static_cast<std::int64_t>(l);
        if (kept != nullptr && keep_residual(*kept, layer_index, residual, config.norm_epsilon))
            return {};
        const at::Tensor qkv = project(x, layer, config.norm_epsilon).view({batch, steps, -1});
        const at::Tensor queries =
            split_and_rotate(qkv, rope, at_positions, cache.keys(l), cache.values(l));
        if (kept != nullptr) keep_keys_values(*kept, layer_index, qkv, config);
        if (kept != nullptr && kept->queries.defined())
            keep_queries(*kept, layer_index, qkv, config);
        const at::Tensor log_mass = cache.log_mass(l);
        const at::Tensor attended = attend(
            queries, cache.keys(l).narrow(2, 0, key_count), cache.values(l).narrow(2, 0, key_count),
            positions,
            log_mass.defined() ? log_mass.narrow(2, 0, key_count) : log_mass);  // (N, Hq × D)
        if (kept != nullptr && kept->attended.defined()) {
            const std::int64_t count = kept->attended.size(2);
            kept->attended.select(1, layer_index)
                .copy_(attended.view({batch, steps, -1}).narrow(1, steps - count, count));
        }
        delta = product_onto(residual, attended, layer.output, layer.panels.output);
        x = add_rms_norm(residual, delta, layer.ffn_norm, config.norm_epsilon, dtype);
        const at::Tensor gated = gated_product(x, layer.gate_up, layer.panels.gate_up);
        delta = product_onto(residual, gated, layer.down, layer.panels.down);
    }
    const at::Tensor hidden =
        add_rms_norm(residual, delta, weights.final_norm, config.norm_epsilon, dtype);
    if (kept != nullptr)
        keep_residual(*kept, static_cast<std::int64_t>(weights.layers.size()), residual,
                      config.norm_epsilon);
    return hidden.view({batch, steps, -1});
}

void TorchModel::place(KvCache& cache, std::span<const std::int64_t> positions,
                       const at::Tensor& keys, const at::Tensor& values,
                       const at::Tensor& log_mass) const {
    const at::Tensor index = position_tensor(positions).to(device);
    if (log_mass.defined()) cache.set_log_mass(index, log_mass);
    const auto angles = [&](const at::Tensor& table) {
        return table.index_select(0, index).unsqueeze(1).unsqueeze(1);  // (n, 1, 1, D / 2)
    };
    const at::Tensor rotated =
        rotate_pairs(keys, angles(rope.cosines), angles(rope.sines)).to(dtype);
    const at::Tensor converted = values.to(dtype);
    for (std::size_t l = 0; l < weights.layers.size(); ++l) {
        const auto layer = static_cast<std::int64_t>(l);
        // (B, n, H, D) → (B, H, n, D)
        cache.keys(l).index_copy_(2, index, rotated.select(2, layer).transpose(1, 2));
        cache.values(l).index_copy_(2, index, converted.select(2, layer).transpose(1, 2));
    }
}

at::Tensor TorchModel::read(std::span<const std::vector<TokenId>> windows, ReadOutput& kept) const {
    const auto batch = static_cast<std::int64_t>(windows.size());
    const auto steps = static_cast<std::int64_t>(windows.front().size());
    MC_CHECK(steps <= config.context_length, "window beyond the model's context");
    std::vector<TokenId> tokens;
    for (const std::vector<TokenId>& window : windows) {
        MC_CHECK(window.size() == windows.front().size(), "windows differ in length");
        tokens.insert(tokens.end(), window.begin(), window.end());
    }
    std::vector<std::int64_t> positions(windows.front().size());
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<std::int64_t>(i);
    KvCache cache = new_cache(batch, CacheKind::kSinglePass);
    cache.reserve(steps);
    return forward(embed(tokens).view({batch, steps, -1}), positions, cache, &kept);
}

ReadOutput TorchModel::room_for(std::int64_t batch, std::int64_t count,
                                std::vector<std::int64_t> residual_layers) const {
    ReadOutput out;
    out.keys = at::empty({batch, config.layer_count, config.kv_head_count, count, config.head_dim},
                         at::TensorOptions().dtype(dtype).device(device));
    out.values = at::empty_like(out.keys);
    out.residual_layers = std::move(residual_layers);
    out.residuals = at::empty(
        {batch, static_cast<std::int64_t>(out.residual_layers.size()), count, config.hidden_dim},
        out.keys.options());
    return out;
}

ReadOutput TorchModel::read_windows(std::span<const std::vector<TokenId>> windows,
                                    std::int64_t kept_begin,
                                    std::vector<std::int64_t> residual_layers) const {
    ReadOutput out = room_for(static_cast<std::int64_t>(windows.size()),
                              static_cast<std::int64_t>(windows.front().size()) - kept_begin,
                              std::move(residual_layers));
    out.hidden = read(windows, out);
    return out;
}

ReadOutput TorchModel::read_attention(std::span<const std::vector<TokenId>> windows,
                                      std::int64_t kept_begin) const {
    const auto batch = static_cast<std::int64_t>(windows.size());
    const std::int64_t count = static_cast<std::int64_t>(windows.front().size()) - kept_begin;
    ReadOutput out = room_for(batch, count, {});
    out.queries = at::empty({batch, config.layer_count, config.head_count, count, config.head_dim},
                            out.keys.options());
    out.attended = at::empty(
        {batch, config.layer_count, count, std::int64_t{config.head_count} * config.head_dim},
        out.keys.options());
    out.hidden = read(windows, out);
    return out;
}

at::Tensor TorchModel::read_residuals(std::span<const std::vector<TokenId>> windows,
                                      std::int64_t kept_begin,
                                      std::vector<std::int64_t> residual_layers) const {
    MC_CHECK(!residual_layers.empty(), "no layer to read");
    ReadOutput out;
    out.residual_layers = std::move(residual_layers);
    out.residuals = at::empty(
        {static_cast<std::int64_t>(windows.size()),
         static_cast<std::int64_t>(out.residual_layers.size()),
         static_cast<std::int64_t>(windows.front().size()) - kept_begin, config.hidden_dim},
        at::TensorOptions().dtype(dtype).device(device));
    read(windows, out);
    return out.residuals;
}

at::Tensor TorchModel::logits(const at::Tensor& hidden) const {
    const bool is_row = hidden.size(0) == 1 && hidden.scalar_type() == at::kBFloat16 &&
                        hidden.is_contiguous() && !hidden.requires_grad();
    if (!is_row || decoder == nullptr) return precise_product(hidden, weights.head);
    at::Tensor out = at::empty({1, weights.head.size(0)}, at::kFloat);
    decoder->logits(static_cast<const Bf16Bits*>(hidden.const_data_ptr()), out.data_ptr<float>());
    return out;
}

Likelihoods TorchModel::score(const at::Tensor& hidden, const at::Tensor& targets,
                              bool with_entropy) const {
    std::vector<at::Tensor> nll;
    std::vector<at::Tensor> entropy;
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += kLogitRowsPerPass) {
        const std::int64_t count = std::min(kLogitRowsPerPass, hidden.size(0) - begin);
        const at::Tensor rows = at::linear(hidden.narrow(0, begin, count), weights.head);
        const LogitReduction reduced = reduce_logits(rows, with_entropy);
        const at::Tensor chosen =
            rows.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).squeeze(1);
        nll.push_back(reduced.log_sum_exp - chosen.to(at::kFloat));
        if (with_entropy) entropy.push_back(reduced.entropy);
    }
    return {at::cat(nll), with_entropy ? at::cat(entropy) : at::Tensor()};
}

std::int64_t TorchModel::entries_per_pass() const {
    const std::int64_t projected =
        std::int64_t{config.head_count + 2 * config.kv_head_count} * config.head_dim;
    const std::int64_t cached =
        std::int64_t{config.layer_count} * 2 * config.kv_head_count * config.head_dim;
    const std::int64_t elements = cached + 2 * projected + 3 * std::int64_t{config.ffn_dim} +
                                  6 * std::int64_t{config.hidden_dim};
    const auto element_bytes = static_cast<std::int64_t>(c10::elementSize(dtype));
    const std::int64_t fitting =
        std::max<std::int64_t>(1, kPassBytesMax / (elements * element_bytes));
    return device.is_cpu() ? std::min(fitting, kCpuEntriesPerPass) : fitting;
}

}  // namespace mc::lm
