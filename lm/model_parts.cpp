// SPDX-License-Identifier: Apache-2.0
#include "lm/model_parts.h"

#include <numeric>

#include "lm/torch/attention.h"

namespace mc::lm {
namespace {

constexpr std::int64_t kProductRows = 512;
constexpr double kTieLogits = 0.125;  // bf16 rounding of a logit near 20
constexpr std::string_view kCheckText =
    "A long book is read from front to back once, and after that only where a question points.";

double product_flops(std::int64_t rows, const at::Tensor& weight) {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(weight.numel());
}

std::vector<std::int64_t> first_positions(std::int64_t count) {
    std::vector<std::int64_t> out(static_cast<std::size_t>(count));
    std::iota(out.begin(), out.end(), 0);
    return out;
}

at::Tensor last_logits(const TorchModel& model, const at::Tensor& inputs) {
    const std::vector<std::int64_t> positions = first_positions(inputs.size(1));
    KvCache cache = model.new_cache(1, CacheKind::kPerLayer);
    cache.reserve(inputs.size(1));
    const at::Tensor hidden = model.forward(inputs, positions, cache);
    return model.logits(hidden.detach().select(1, inputs.size(1) - 1).contiguous()).select(0, 0);
}

// Activations of random values in the shapes of the forward pass.
struct Activations {
    at::Tensor residual;  // (N, W) f32
    at::Tensor x;         // (N, W)
    at::Tensor qkv;       // (1, N, (Hq + 2 H) × D)
    at::Tensor queries;   // (1, Hq, N, D)
    at::Tensor attended;  // (N, Hq × D)
    at::Tensor ffn;       // (N, F)
};

Activations make_activations(const TorchModel& model, std::int64_t rows) {
    const LayerWeights& layer = model.weights.layers.front();
    const auto random = [&](std::int64_t width) {
        return at::randn({rows, width}).to(model.device, model.dtype);
    };
    Activations out;
    out.x = random(layer.qkv.size(1));
    out.residual = out.x.to(at::kFloat);
    out.qkv = random(layer.qkv.size(0)).unsqueeze(0);
    out.attended = random(layer.output.size(1));
    out.ffn = random(layer.down.size(1));
    return out;
}

}  // namespace

Result<void> check_fast_path(const TorchModel& model) {
    const std::vector<TokenId> tokens = model.tokenizer->encode(kCheckText);
    const at::Tensor inputs = model.embed(tokens).unsqueeze(0);
    const at::Tensor fast = last_logits(model, inputs);
    if (!at::isfinite(fast).all().item<bool>())
        return fail(ErrorCode::kModel, "benchmark: the model's logits are not finite");
    at::Tensor plain;
    {
        const c10::InferenceMode recording(false);
        const c10::AutoGradMode gradients(true);
        plain = last_logits(model, inputs.clone().requires_grad_(true)).detach();
    }
    const std::int64_t chosen = fast.argmax().item<std::int64_t>();
    const double gap = (plain.max() - plain[chosen]).item<double>();
    if (gap > kTieLogits)
        return fail(ErrorCode::kModel, "benchmark: the fast path chooses token " +
                                           std::to_string(chosen) + ", which the plain one puts " +
                                           std::to_string(gap) + " below its own choice");
    return {};
}

double layer_product_flops(const TorchModel& model, const Clock& clock, double seconds) {
    const Activations in = make_activations(model, kProductRows);
    double flops = 0;
    for (const LayerWeights& layer : model.weights.layers)
        for (const at::Tensor& weight : {layer.qkv, layer.output, layer.gate_up, layer.down})
            flops += product_flops(kProductRows, weight);
    const double once = median_seconds(clock, seconds, [&] {
        for (const LayerWeights& layer : model.weights.layers) {
            at::linear(in.x, layer.qkv);
            at::linear(in.attended, layer.output);
            at::linear(in.x, layer.gate_up);
            at::linear(in.ffn, layer.down);
        }
    });
    return flops / once;
}

PartTimes time_parts(const TorchModel& model, std::uint32_t tokens, const Clock& clock,
                     double seconds) {
    const auto rows = std::int64_t{tokens};
    Activations in = make_activations(model, rows);
    const std::vector<std::int64_t> positions = first_positions(rows);
    const at::Tensor at_positions = at::arange(rows);
    KvCache cache = model.new_cache(1, CacheKind::kPerLayer);
    cache.reserve(rows);
    const double epsilon = model.config.norm_epsilon;
    PartTimes out;
    out.tokens = tokens;
    const auto part = [&](std::string name, double layer_flops,
                          const std::function<void(const LayerWeights&, std::size_t)>& body) {
        const double once = median_seconds(clock, seconds / 4, [&] {
            for (std::size_t l = 0; l < model.weights.layers.size(); ++l)
                body(model.weights.layers[l], l);
        });
        out.parts.push_back({std::move(name), once, layer_flops * model.config.layer_count});
    };
    const LayerWeights& first = model.weights.layers.front();
    const double keys = (tokens + 1) / 2.0;
    const double attention_flops =
        4.0 * tokens * keys * model.config.head_count * model.config.head_dim;
    part("qkv", product_flops(rows, first.qkv), [&](const LayerWeights& layer, std::size_t) {
        product(in.x, layer.qkv, layer.panels.qkv);
    });
    part("split and rotate", 0, [&](const LayerWeights&, std::size_t l) {
        in.queries =
            split_and_rotate(in.qkv, model.rope, at_positions, cache.keys(l), cache.values(l));
    });
    part("attention", attention_flops, [&](const LayerWeights&, std::size_t l) {
        attend(in.queries, cache.keys(l), cache.values(l), positions);
    });
    part("output", product_flops(rows, first.output), [&](const LayerWeights& layer, std::size_t) {
        product_onto(in.residual, in.attended, layer.output, layer.panels.output);
    });
    part("norms", 0, [&](const LayerWeights& layer, std::size_t) {
        add_rms_norm(in.residual, {}, layer.attention_norm, epsilon, model.dtype);
        add_rms_norm(in.residual, {}, layer.ffn_norm, epsilon, model.dtype);
    });
    part("gate, up and silu", product_flops(rows, first.gate_up),
         [&](const LayerWeights& layer, std::size_t) {
             gated_product(in.x, layer.gate_up, layer.panels.gate_up);
         });
    part("down", product_flops(rows, first.down), [&](const LayerWeights& layer, std::size_t) {
        product_onto(in.residual, in.ffn, layer.down, layer.panels.down);
    });
    const at::Tensor last = in.x.narrow(0, rows - 1, 1).contiguous();
    out.parts.push_back({"head, one row",
                         median_seconds(clock, seconds / 4, [&] { model.logits(last); }),
                         product_flops(1, model.weights.head)});
    const at::Tensor inputs = in.x.unsqueeze(0);
    out.whole_seconds =
        median_seconds(clock, seconds, [&] { model.forward(inputs, positions, cache); });
    return out;
}

double decode_weight_bytes(const TorchModel& model) {
    if (model.decoder != nullptr) return static_cast<double>(model.decoder->weight_bytes());
    auto elements = static_cast<double>(model.weights.head.numel());
    for (const LayerWeights& layer : model.weights.layers)
        elements += static_cast<double>(layer.qkv.numel() + layer.output.numel() +
                                        layer.gate_up.numel() + layer.down.numel());
    return elements * static_cast<double>(c10::elementSize(model.dtype));
}

}  // namespace mc::lm
