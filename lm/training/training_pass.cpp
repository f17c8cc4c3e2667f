// SPDX-License-Identifier: Apache-2.0
#include "lm/training/training_pass.h"

#include <cmath>

#include "core/check.h"
#include "lm/kernels/training_kernels.h"

namespace mc::lm {
namespace {

constexpr std::int64_t kRowsPerTask = 16;

bool is_bf16(const at::Tensor& x) {
    return x.scalar_type() == at::kBFloat16;
}

template <class Rows>
void run_rows(void (*kernel)(const Rows&, std::int64_t, std::int64_t), const Rows& rows,
              std::int64_t count) {
    at::parallel_for(0, count, kRowsPerTask,
                     [&](std::int64_t begin, std::int64_t end) { kernel(rows, begin, end); });
}

at::Tensor gated_backward(const at::Tensor& gate_up, const at::Tensor& gradient) {
    at::Tensor out = at::empty_like(gate_up);
    const SiluBackwardRows rows{gate_up.const_data_ptr(), gradient.const_data_ptr(), out.data_ptr(),
                                gradient.size(1)};
    run_rows(is_bf16(gate_up) ? silu_mul_backward_bf16 : silu_mul_backward_f32, rows,
             gradient.size(0));
    return out;
}

}  // namespace

at::Tensor index_tensor(const std::vector<std::int64_t>& values) {
    return at::tensor(at::IntArrayRef(values.data(), values.size()), at::kLong);
}

PassLayout placed_then_tokens(std::int64_t rows, std::int64_t placed, std::int64_t tokens) {
    PassLayout layout;
    layout.first_columns.assign(static_cast<std::size_t>(rows), 0);
    for (std::int64_t i = 0; i < placed; ++i) layout.placed_columns.push_back(i);
    for (std::int64_t i = 0; i < tokens; ++i) layout.token_columns.push_back(placed + i);
    return layout;
}

Hash128 hash_of_weights(const TorchModel& model) {
    std::vector<Hash128> parts;
    const auto add = [&parts](const at::Tensor& x) {
        const at::Tensor bytes = x.to(at::kCPU).contiguous();
        parts.push_back(xxh3_128(
            std::span(static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes())));
    };
    add(model.weights.embeddings);
    add(model.weights.head);
    add(model.weights.final_norm);
    for (const LayerWeights& layer : model.weights.layers)
        for (const at::Tensor& x :
             {layer.attention_norm, layer.qkv, layer.qkv_bias, layer.head_norms, layer.output,
              layer.ffn_norm, layer.gate_up, layer.down})
            if (x.defined()) add(x);
    return xxh3_128(std::as_bytes(std::span(parts)));
}

Result<void> TrainingPass::check_support(const TorchModel& model) {
    if (!model.device.is_cpu())
        return fail(ErrorCode::kUsage, "training runs on the CPU: choose device cpu");
    if (model.weights.layers.front().head_norms.defined())
        return fail(ErrorCode::kUsage, model.config.architecture +
                                           ": training through normalised query and key heads is "
                                           "not supported");
    return {};
}

TrainingPass::TrainingPass(const TorchModel& model, PassLayout layout)
    : model_(model),
      layout_(std::move(layout)),
      rows_(static_cast<std::int64_t>(layout_.first_columns.size())),
      steps_(static_cast<std::int64_t>(layout_.token_columns.size())),
      columns_(steps_ + static_cast<std::int64_t>(layout_.placed_columns.size())) {
    MC_CHECK(rows_ > 0 && steps_ > 0, "a pass needs rows and tokens");
    MC_CHECK(layout_.token_columns.back() < columns_, "token column beyond the last");
    MC_CHECK(columns_ <= model.config.context_length, "pass beyond the model's context");
    for (const std::int64_t first : layout_.first_columns)
        MC_CHECK(first >= 0 && first <= layout_.token_columns.front(), "tokens in the padding");
}

// Allocates every layer's keys and values and writes the placed entries into them.
void TrainingPass::place(const PlacedEntries& placed) {
    const ModelConfig& config = model_.config;
    const std::vector<std::int64_t> shape = {rows_, config.kv_head_count, columns_,
                                             config.head_dim};
    const at::TensorOptions options = at::TensorOptions().dtype(model_.dtype);
    tape_.assign(config.layer_count, LayerTape());
    for (LayerTape& layer : tape_) {
        layer.keys = at::empty(shape, options);
        layer.values = at::empty(shape, options);
    }
    if (layout_.placed_columns.empty()) return;
    const at::Tensor index = index_tensor(layout_.placed_columns);
    const auto angles = [&](const at::Tensor& table) {
        return table.index_select(0, index).unsqueeze(1).unsqueeze(1);  // (P, 1, 1, D / 2)
    };
    const at::Tensor rotated =
        rotate_pairs(placed.keys, angles(model_.rope.cosines), angles(model_.rope.sines))
            .to(model_.dtype);
    const at::Tensor values = placed.values.to(model_.dtype);
    for (std::size_t l = 0; l < tape_.size(); ++l) {
        const auto layer = static_cast<std::int64_t>(l);
        tape_[l].keys.index_copy_(2, index, rotated.select(2, layer).transpose(1, 2));
        tape_[l].values.index_copy_(2, index, values.select(2, layer).transpose(1, 2));
        if (!placed.log_mass.defined()) continue;
        at::Tensor log_mass = at::zeros({rows_, config.kv_head_count, columns_}, at::kFloat);
        log_mass.index_copy_(2, index, placed.log_mass.select(2, layer).transpose(1, 2));
        tape_[l].log_mass = log_mass.flatten(0, 1);
    }
}

// (N, Hq × D) from the tape's queries, keys and values.
at::Tensor TrainingPass::attend(LayerTape& tape) const {
    const std::int64_t dim = tape.keys.size(3);
    const std::int64_t heads = tape.queries.size(1);
    const at::Tensor keys = tape.keys.view({-1, columns_, dim});
    const at::Tensor values = tape.values.view({-1, columns_, dim});
    const at::Tensor queries = tape.queries.view({keys.size(0), -1, dim});  // (B × H, G × T, D)
    tape.probabilities = at::bmm(queries, keys.transpose(1, 2));
    const AttentionRows rows{
        tape.probabilities.data_ptr(),
        layout_.token_columns.data(),
        layout_.first_columns.data(),
        tape.log_mass.defined() ? tape.log_mass.const_data_ptr<float>() : nullptr,
        heads * steps_,
        queries.size(1),
        steps_,
        columns_,
        1.0F / std::sqrt(static_cast<float>(dim))};
    run_rows(is_bf16(keys) ? masked_softmax_bf16 : masked_softmax_f32, rows,
             rows_ * heads * steps_);
    return at::bmm(tape.probabilities, values)
        .view({rows_, heads, steps_, dim})
        .transpose(1, 2)
        .reshape({rows_ * steps_, heads * dim});
}

at::Tensor TrainingPass::forward(const at::Tensor& inputs, const PlacedEntries& placed) {
    const c10::InferenceMode no_inference(false);
    at::NoGradGuard no_grad;
    const ModelConfig& config = model_.config;
    const double epsilon = config.norm_epsilon;
    place(placed);
    const at::Tensor columns = index_tensor(layout_.token_columns);
    at::Tensor residual =
        inputs.to(at::kFloat, false, true).reshape({rows_ * steps_, -1}).contiguous();
    at::Tensor delta;
    for (std::size_t l = 0; l < tape_.size(); ++l) {
        const LayerWeights& layer = model_.weights.layers[l];
        LayerTape& tape = tape_[l];
        at::Tensor x = add_rms_norm(residual, delta, layer.attention_norm, epsilon, model_.dtype);
        tape.residual_in = residual.clone();
        at::Tensor qkv = product(x, layer.qkv, layer.panels.qkv);
        if (layer.qkv_bias.defined()) qkv = qkv + layer.qkv_bias;
        qkv = qkv.view({rows_, steps_, -1});
        tape.queries = split_and_rotate(qkv, model_.rope, columns, tape.keys, tape.values);
        delta = product(attend(tape), layer.output, layer.panels.output);
        x = add_rms_norm(residual, delta, layer.ffn_norm, epsilon, model_.dtype);
        tape.residual_mid = residual.clone();
        tape.gate_up = at::linear(x, layer.gate_up);
        delta = product(silu_mul(tape.gate_up), layer.down, layer.panels.down);
    }
    const at::Tensor hidden =
        add_rms_norm(residual, delta, model_.weights.final_norm, epsilon, model_.dtype);
    residual_out_ = residual;
    return hidden;
}

// Adds a norm's backward to residual_gradient (N, W) f32 and returns the sum in the model's dtype.
at::Tensor TrainingPass::norm_backward(const at::Tensor& residual, const at::Tensor& weight,
                                       const at::Tensor& gradient,
                                       at::Tensor& residual_gradient) const {
    at::Tensor out = at::empty_like(gradient);
    const NormBackwardRows rows{residual.const_data_ptr<float>(),
                                weight.const_data_ptr<float>(),
                                gradient.const_data_ptr(),
                                residual_gradient.data_ptr<float>(),
                                out.data_ptr(),
                                residual.size(1),
                                static_cast<float>(model_.config.norm_epsilon)};
    run_rows(is_bf16(gradient) ? rms_norm_backward_bf16 : rms_norm_backward_f32, rows,
             residual.size(0));
    return out;
}

// Gradient of the projection's rows (N, (Hq + 2 H) × D) from that of the attention's output (N, Hq
// × D); the placed entries' share goes to placed, still rotated.
at::Tensor TrainingPass::attention_backward(const LayerTape& tape, const at::Tensor& gradient,
                                            std::size_t layer, PlacedEntries& placed) const {
    const std::int64_t dim = tape.keys.size(3);
    const std::int64_t heads = tape.queries.size(1);
    const std::int64_t kv_heads = tape.keys.size(1);
    const at::Tensor keys = tape.keys.view({-1, columns_, dim});
    const at::Tensor values = tape.values.view({-1, columns_, dim});
    const at::Tensor queries = tape.queries.view({keys.size(0), -1, dim});
    const at::Tensor incoming = gradient.view({rows_, steps_, heads, dim})
                                    .transpose(1, 2)
                                    .reshape({keys.size(0), -1, dim});  // (B × H, G × T, D)
    const at::Tensor value_gradient = at::bmm(tape.probabilities.transpose(1, 2), incoming);
    const at::Tensor scores = at::bmm(incoming, values.transpose(1, 2));
    const SoftmaxBackwardRows softmax{tape.probabilities.const_data_ptr(), scores.data_ptr(),
                                      columns_, 1.0F / std::sqrt(static_cast<float>(dim))};
    run_rows(is_bf16(keys) ? softmax_backward_bf16 : softmax_backward_f32, softmax,
             rows_ * heads * steps_);
    const auto layer_index = static_cast<std::int64_t>(layer);
    if (tape.log_mass.defined() && !layout_.placed_columns.empty())
        placed.log_mass.select(2, layer_index)
            .copy_((scores.sum(1, false, at::kFloat) / softmax.scale)
                       .view({rows_, kv_heads, columns_})
                       .index_select(2, index_tensor(layout_.placed_columns))
                       .transpose(1, 2));
    const at::Tensor query_gradient = at::bmm(scores, keys);
    const at::Tensor key_gradient = at::bmm(scores.transpose(1, 2), queries);

    if (!layout_.placed_columns.empty()) {
        const at::Tensor index = index_tensor(layout_.placed_columns);
        const auto share = [&](const at::Tensor& x) {  // (B, P, H, D)
            return x.view({rows_, kv_heads, columns_, dim}).index_select(2, index).transpose(1, 2);
        };
        placed.keys.select(2, layer_index).copy_(share(key_gradient));
        placed.values.select(2, layer_index).copy_(share(value_gradient));
    }
    at::Tensor out = at::empty({rows_ * steps_, (heads + 2 * kv_heads) * dim}, tape.keys.options());
    const SplitBackwardRows rows{query_gradient.const_data_ptr(),
                                 key_gradient.const_data_ptr(),
                                 value_gradient.const_data_ptr(),
                                 model_.rope.cosines.const_data_ptr<float>(),
                                 model_.rope.sines.const_data_ptr<float>(),
                                 layout_.token_columns.data(),
                                 out.data_ptr(),
                                 steps_,
                                 columns_,
                                 heads,
                                 kv_heads,
                                 dim};
    run_rows(is_bf16(keys) ? split_backward_bf16 : split_backward_f32, rows, rows_ * steps_);
    return out;
}

PassGradients TrainingPass::backward(const at::Tensor& hidden_gradient) {
    MC_CHECK(residual_out_.defined(), "backward without a forward");
    const c10::InferenceMode no_inference(false);
    at::NoGradGuard no_grad;
    const ModelConfig& config = model_.config;
    PassGradients out;
    out.placed.keys = at::empty(
        {rows_, columns_ - steps_, config.layer_count, config.kv_head_count, config.head_dim},
        at::kFloat);
    out.placed.values = at::empty_like(out.placed.keys);
    if (tape_.front().log_mass.defined())
        out.placed.log_mass = at::empty(
            {rows_, columns_ - steps_, config.layer_count, config.kv_head_count}, at::kFloat);
    at::Tensor residual_gradient = at::zeros_like(residual_out_);
    at::Tensor gradient = norm_backward(residual_out_, model_.weights.final_norm,
                                        hidden_gradient.contiguous(), residual_gradient);
    for (std::size_t l = tape_.size(); l-- > 0;) {
        const LayerWeights& layer = model_.weights.layers[l];
        LayerTape& tape = tape_[l];
        const at::Tensor gate_up =
            gated_backward(tape.gate_up, at::mm(gradient, layer.down));  // (N, 2 F)
        gradient = norm_backward(tape.residual_mid, layer.ffn_norm, at::mm(gate_up, layer.gate_up),
                                 residual_gradient);
        const at::Tensor qkv =
            attention_backward(tape, at::mm(gradient, layer.output), l, out.placed);
        gradient = norm_backward(tape.residual_in, layer.attention_norm, at::mm(qkv, layer.qkv),
                                 residual_gradient);
        tape = LayerTape();
    }
    residual_out_ = at::Tensor();
    if (!layout_.placed_columns.empty()) {
        const at::Tensor index = index_tensor(layout_.placed_columns);
        const auto angles = [&](const at::Tensor& table) {
            return table.index_select(0, index).unsqueeze(1).unsqueeze(1);
        };
        out.placed.keys =
            rotate_pairs(out.placed.keys, angles(model_.rope.cosines), -angles(model_.rope.sines));
    }
    out.inputs = residual_gradient.view({rows_, steps_, -1});
    return out;
}

}  // namespace mc::lm
