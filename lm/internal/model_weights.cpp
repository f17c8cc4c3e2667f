// SPDX-License-Identifier: Apache-2.0
#include "lm/internal/model_weights.h"

#include <string>

namespace mc::lm {
namespace {

std::string shape_text(const std::vector<std::uint64_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + ")";
}

// Decodes named tensors and checks their shapes.
class WeightReader {
  public:
    WeightReader(const GgufFile& file, at::ScalarType dtype, at::Device device)
        : file_(file), dtype_(dtype), device_(device) {}

    Result<at::Tensor> vector(const std::string& name, std::uint64_t width) const {
        MC_ASSIGN(const at::Tensor values, decode(name, {width}));
        return values.to(device_, at::kFloat, false, true);
    }

    // (rows, columns); GGUF gives the contiguous axis first.
    Result<at::Tensor> matrix(const std::string& name, std::uint64_t rows,
                              std::uint64_t columns) const {
        MC_ASSIGN(const at::Tensor values, decode(name, {columns, rows}));
        return values.to(device_, dtype_, false, true);
    }

    // Matrices of the same number of columns, one above the other.
    Result<at::Tensor> stacked(const std::vector<std::pair<std::string, std::uint64_t>>& parts,
                               std::uint64_t columns) const {
        std::vector<at::Tensor> matrices;
        for (const auto& [name, rows] : parts) {
            MC_ASSIGN(at::Tensor part, matrix(name, rows, columns));
            matrices.push_back(std::move(part));
        }
        return at::cat(matrices, 0);
    }

  private:
    Result<at::Tensor> decode(const std::string& name,
                              const std::vector<std::uint64_t>& shape) const {
        const GgufTensor* tensor = file_.find_tensor(name);
        if (tensor == nullptr)
            return fail(ErrorCode::kInvalidInput,
                        file_.name() + ": tensor " + name + " is missing");
        if (tensor->shape != shape)
            return fail(ErrorCode::kInvalidInput, file_.name() + ": tensor " + name +
                                                      " has shape " + shape_text(tensor->shape) +
                                                      ", expected " + shape_text(shape));
        auto values = dequantize(*tensor);
        if (!values)
            return fail(std::move(values.error()).add_context(file_.name() + ": tensor " + name));
        std::vector<std::int64_t> sizes(shape.rbegin(), shape.rend());
        // Copies, because the vector ends here.
        return at::from_blob(values->data(), sizes, at::kFloat).clone();
    }

    const GgufFile& file_;
    at::ScalarType dtype_;
    at::Device device_;
};

Result<LayerWeights> load_layer(const WeightReader& reader, const ModelConfig& config,
                                std::uint32_t index) {
    const std::string prefix = "blk." + std::to_string(index) + ".";
    const std::uint64_t width = config.hidden_dim;
    const std::uint64_t query_rows = std::uint64_t{config.head_count} * config.head_dim;
    const std::uint64_t kv_rows = std::uint64_t{config.kv_head_count} * config.head_dim;
    LayerWeights layer;
    MC_ASSIGN(layer.attention_norm, reader.vector(prefix + "attn_norm.weight", width));
    MC_ASSIGN(layer.qkv, reader.stacked({{prefix + "attn_q.weight", query_rows},
                                         {prefix + "attn_k.weight", kv_rows},
                                         {prefix + "attn_v.weight", kv_rows}},
                                        width));
    MC_ASSIGN(layer.output, reader.matrix(prefix + "attn_output.weight", width, query_rows));
    MC_ASSIGN(layer.ffn_norm, reader.vector(prefix + "ffn_norm.weight", width));
    MC_ASSIGN(layer.gate_up, reader.stacked({{prefix + "ffn_gate.weight", config.ffn_dim},
                                             {prefix + "ffn_up.weight", config.ffn_dim}},
                                            width));
    MC_ASSIGN(layer.down, reader.matrix(prefix + "ffn_down.weight", width, config.ffn_dim));
    return layer;
}

}  // namespace

Result<ModelWeights> load_weights(const GgufFile& file, const ModelConfig& config,
                                  at::ScalarType dtype, at::Device device) {
    const WeightReader reader(file, dtype, device);
    ModelWeights weights;
    MC_ASSIGN(weights.embeddings,
              reader.matrix("token_embd.weight", config.vocabulary_size, config.hidden_dim));
    weights.head = weights.embeddings;
    if (file.find_tensor("output.weight") != nullptr) {
        MC_ASSIGN(weights.head,
                  reader.matrix("output.weight", config.vocabulary_size, config.hidden_dim));
    }
    MC_ASSIGN(weights.final_norm, reader.vector("output_norm.weight", config.hidden_dim));
    if (file.find_tensor("rope_freqs.weight") != nullptr) {
        MC_ASSIGN(weights.rope_factors, reader.vector("rope_freqs.weight", config.head_dim / 2));
    }
    for (std::uint32_t l = 0; l < config.layer_count; ++l) {
        MC_ASSIGN(LayerWeights layer, load_layer(reader, config, l));
        weights.layers.push_back(std::move(layer));
    }
    return weights;
}

}  // namespace mc::lm
