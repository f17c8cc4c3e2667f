// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/model_weights.h"

#include <set>
#include <string>

namespace mc::lm {
namespace {

std::string shape_text(const std::vector<std::uint64_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + ")";
}

// Decodes named tensors, checks their shapes and remembers which were asked for.
class WeightReader {
  public:
    WeightReader(const ModelFile& file, at::ScalarType dtype, at::Device device)
        : file_(file), dtype_(dtype), device_(device) {}

    // f32 on the CPU, for what is worked on before it goes to the device. shape: ggml's order.
    Result<at::Tensor> decode(const std::string& name, const std::vector<std::uint64_t>& shape) {
        read_.insert(name);
        const auto found = file_.tensors().find(name);
        if (found == file_.tensors().end()) return error(file_.spelling_of(name), " is missing");
        const GgufTensor& tensor = found->second;
        if (tensor.shape != shape)
            return error(tensor.name, " has shape " + shape_text(tensor.shape) + ", expected " +
                                          shape_text(shape));
        const std::vector<std::int64_t> sizes(shape.rbegin(), shape.rend());
        const at::Tensor values = at::empty(sizes, at::kFloat);
        MC_TRY_CONTEXT(dequantize_into(tensor, {values.data_ptr<float>(), tensor.element_count()}),
                       file_.name() + ": tensor " + tensor.name);
        return values;
    }

    Result<at::Tensor> vector(const std::string& name, std::uint64_t width) {
        MC_ASSIGN(const at::Tensor values, decode(name, {width}));
        return on_device(values);
    }

    // (rows, columns); GGUF gives the contiguous axis first.
    Result<at::Tensor> matrix(const std::string& name, std::uint64_t rows, std::uint64_t columns) {
        MC_ASSIGN(const at::Tensor values, decode(name, {columns, rows}));
        return in_dtype(values);
    }

    at::Tensor in_dtype(const at::Tensor& values) const { return values.to(device_, dtype_); }

    at::Tensor on_device(const at::Tensor& values) const { return values.to(device_); }

    // A weight that nobody reads belongs to a computation that is not done here.
    Result<void> check_all_read() const {
        for (const auto& [name, tensor] : file_.tensors())
            if (!read_.contains(name) && !file_.may_stay_unread(name))
                return error(tensor.name,
                             " is not one that " + file_.spec().config.architecture + " has");
        return {};
    }

  private:
    tl::unexpected<Error> error(const std::string& tensor, const std::string& what) const {
        return fail(ErrorCode::kInvalidInput, file_.name() + ": tensor " + tensor + what);
    }

    const ModelFile& file_;
    at::ScalarType dtype_;
    at::Device device_;
    std::set<std::string> read_;
};

// Rows of each head from pairs (i, i + D / 2) to pairs (2i, 2i + 1). x (heads × D, …).
at::Tensor interleave_heads(const at::Tensor& x, std::int64_t head_dim) {
    return x.unflatten(0, {-1, 2, head_dim / 2}).transpose(1, 2).flatten(0, 2);
}

// The query, key and value parts of one layer, one above the other. suffix: ".weight" or ".bias".
class HeadReader {
  public:
    HeadReader(WeightReader& reader, const ModelSpec& spec, const std::string& prefix)
        : reader_(reader), spec_(spec), prefix_(prefix) {}

    Result<at::Tensor> projections() {
        const std::uint64_t width = spec_.config.hidden_dim;
        return stacked(".weight", [&](std::uint64_t rows) { return Shape{width, rows}; });
    }

    Result<at::Tensor> biases() {
        return stacked(".bias", [](std::uint64_t rows) { return Shape{rows}; });
    }

    // (Hq + H, D)
    Result<at::Tensor> norms() {
        const std::uint32_t dim = spec_.config.head_dim;
        MC_ASSIGN(at::Tensor query, reader_.decode(prefix_ + "attn_q_norm.weight", {dim}));
        MC_ASSIGN(at::Tensor key, reader_.decode(prefix_ + "attn_k_norm.weight", {dim}));
        query = rotated(query) * spec_.rope.query_scale;
        return at::cat({query.unsqueeze(0).expand({spec_.config.head_count, -1}),
                        rotated(key).unsqueeze(0).expand({spec_.config.kv_head_count, -1})});
    }

  private:
    using Shape = std::vector<std::uint64_t>;

    template <class ShapeOf>
    Result<at::Tensor> stacked(const std::string& suffix, ShapeOf&& shape_of) {
        const ModelConfig& config = spec_.config;
        const std::uint64_t query_rows = std::uint64_t{config.head_count} * config.head_dim;
        const std::uint64_t kv_rows = std::uint64_t{config.kv_head_count} * config.head_dim;
        MC_ASSIGN(at::Tensor q, reader_.decode(prefix_ + "attn_q" + suffix, shape_of(query_rows)));
        MC_ASSIGN(const at::Tensor k,
                  reader_.decode(prefix_ + "attn_k" + suffix, shape_of(kv_rows)));
        MC_ASSIGN(const at::Tensor v,
                  reader_.decode(prefix_ + "attn_v" + suffix, shape_of(kv_rows)));
        q = rotated(q);
        // A norm behind it would undo the scale.
        if (spec_.rope.query_scale != 1 && !spec_.has_head_norms) q = q * spec_.rope.query_scale;
        return at::cat({q, rotated(k), v}, 0);
    }

    at::Tensor rotated(const at::Tensor& x) const {
        return spec_.has_half_split_heads ? interleave_heads(x, spec_.config.head_dim) : x;
    }

    WeightReader& reader_;
    const ModelSpec& spec_;
    const std::string prefix_;
};

Result<LayerWeights> load_layer(WeightReader& reader, const ModelSpec& spec, std::uint32_t index) {
    const ModelConfig& config = spec.config;
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const std::uint64_t width = config.hidden_dim;
    const std::uint64_t query_rows = std::uint64_t{config.head_count} * config.head_dim;
    HeadReader heads(reader, spec, prefix);
    LayerWeights layer;
    MC_ASSIGN(layer.attention_norm, reader.vector(prefix + "attn_norm.weight", width));
    MC_ASSIGN(layer.qkv, heads.projections());
    layer.qkv = reader.in_dtype(layer.qkv);
    if (spec.has_qkv_bias) {
        MC_ASSIGN(layer.qkv_bias, heads.biases());
        layer.qkv_bias = reader.in_dtype(layer.qkv_bias);
    }
    if (spec.has_head_norms) {
        MC_ASSIGN(layer.head_norms, heads.norms());
        layer.head_norms = reader.on_device(layer.head_norms);
    }
    MC_ASSIGN(layer.output, reader.matrix(prefix + "attn_output.weight", width, query_rows));
    MC_ASSIGN(layer.ffn_norm, reader.vector(prefix + "ffn_norm.weight", width));
    MC_ASSIGN(const at::Tensor gate,
              reader.matrix(prefix + "ffn_gate.weight", config.ffn_dim, width));
    MC_ASSIGN(const at::Tensor up, reader.matrix(prefix + "ffn_up.weight", config.ffn_dim, width));
    layer.gate_up = at::cat({gate, up}, 0);
    MC_ASSIGN(layer.down, reader.matrix(prefix + "ffn_down.weight", width, config.ffn_dim));
    return layer;
}

}  // namespace

Result<ModelWeights> load_weights(const ModelFile& file, std::uint32_t vocabulary_size,
                                  at::ScalarType dtype, at::Device device) {
    WeightReader reader(file, dtype, device);
    const ModelSpec& spec = file.spec();
    const std::uint64_t width = spec.config.hidden_dim;
    ModelWeights weights;
    MC_ASSIGN(weights.embeddings, reader.matrix("token_embd.weight", vocabulary_size, width));
    weights.head = weights.embeddings;
    if (!spec.is_tied) {
        MC_ASSIGN(weights.head, reader.matrix("output.weight", vocabulary_size, width));
    }
    MC_ASSIGN(weights.final_norm, reader.vector("output_norm.weight", width));
    for (std::uint32_t l = 0; l < spec.config.layer_count; ++l) {
        MC_ASSIGN(LayerWeights layer, load_layer(reader, spec, l));
        weights.layers.push_back(std::move(layer));
    }
    MC_TRY(reader.check_all_read());
    return weights;
}

}  // namespace mc::lm
