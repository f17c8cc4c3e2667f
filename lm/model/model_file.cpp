// SPDX-License-Identifier: Apache-2.0
#include "lm/model/model_file.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mc::lm {
namespace {

struct NamePair {
    std::string_view gguf;
    std::string_view folder;
};

constexpr NamePair kModelNames[] = {{"token_embd.weight", "model.embed_tokens.weight"},
                                    {"output_norm.weight", "model.norm.weight"},
                                    {"output.weight", "lm_head.weight"}};

// Behind "blk.N." and "model.layers.N.".
constexpr NamePair kLayerNames[] = {{"attn_norm.weight", "input_layernorm.weight"},
                                    {"attn_q.weight", "self_attn.q_proj.weight"},
                                    {"attn_k.weight", "self_attn.k_proj.weight"},
                                    {"attn_v.weight", "self_attn.v_proj.weight"},
                                    {"attn_q.bias", "self_attn.q_proj.bias"},
                                    {"attn_k.bias", "self_attn.k_proj.bias"},
                                    {"attn_v.bias", "self_attn.v_proj.bias"},
                                    {"attn_q_norm.weight", "self_attn.q_norm.weight"},
                                    {"attn_k_norm.weight", "self_attn.k_norm.weight"},
                                    {"attn_output.weight", "self_attn.o_proj.weight"},
                                    {"ffn_norm.weight", "post_attention_layernorm.weight"},
                                    {"ffn_gate.weight", "mlp.gate_proj.weight"},
                                    {"ffn_up.weight", "mlp.up_proj.weight"},
                                    {"ffn_down.weight", "mlp.down_proj.weight"}};

constexpr NamePair kLayerPrefix = {"blk.", "model.layers."};

using Side = std::string_view NamePair::*;

// A name of one side in the words of the other; the name itself where the other has none.
std::string translate(const std::string& name, Side from, Side to) {
    if (const auto* pair = std::ranges::find(kModelNames, name, from);
        pair != std::end(kModelNames))
        return std::string(pair->*to);
    const std::string_view prefix = kLayerPrefix.*from;
    if (!name.starts_with(prefix)) return name;
    const std::size_t dot = name.find('.', prefix.size());
    if (dot == std::string::npos) return name;
    const auto* pair = std::ranges::find(kLayerNames, std::string_view(name).substr(dot + 1), from);
    if (pair == std::end(kLayerNames)) return name;
    return std::string(kLayerPrefix.*to) + name.substr(prefix.size(), dot + 1 - prefix.size()) +
           std::string(pair->*to);
}

std::optional<GgmlType> weight_type(SafetensorsDtype dtype) {
    if (dtype == SafetensorsDtype::kF32) return GgmlType::kF32;
    if (dtype == SafetensorsDtype::kF16) return GgmlType::kF16;
    if (dtype == SafetensorsDtype::kBF16) return GgmlType::kBF16;
    return std::nullopt;
}

// Frequencies that old checkpoints carry and that config.json gives as well.
bool is_derived(std::string_view tensor) {
    return tensor.ends_with("rotary_emb.inv_freq");
}

}  // namespace

Result<void> ModelFile::open_gguf(const Path& path) {
    MC_ASSIGN(gguf_, GgufFile::open(path));
    MC_ASSIGN(spec_, read_model_spec(*gguf_));
    for (const GgufTensor& tensor : gguf_->tensors()) tensors_.emplace(tensor.name, tensor);
    return {};
}

Result<void> ModelFile::open_folder(const Path& path) {
    MC_ASSIGN(folder_, ModelFolder::open(path));
    MC_ASSIGN(spec_, read_model_spec(*folder_));
    MC_TRY(folder_->open_weights());
    for (const auto& [own_name, tensor] : folder_->tensors()) {
        if (is_derived(own_name)) continue;
        const auto type = weight_type(tensor->dtype);
        if (!type)
            return fail(ErrorCode::kInvalidInput,
                        name() + ": tensor " + own_name + ": dtype " +
                            std::string(safetensors_dtype_name(tensor->dtype)) +
                            " is not supported; F32, F16 and BF16 are");
        tensors_.emplace(
            translate(own_name, &NamePair::folder, &NamePair::gguf),
            GgufTensor{
                own_name, *type, {tensor->shape.rbegin(), tensor->shape.rend()}, tensor->data});
    }
    return {};
}

Result<std::unique_ptr<ModelFile>> ModelFile::open(const Path& path) {
    std::unique_ptr<ModelFile> file(new ModelFile());
    std::error_code error;
    const bool is_folder = std::filesystem::is_directory(path, error);
    MC_TRY(is_folder ? file->open_folder(path) : file->open_gguf(path));
    for (const auto& [name, tensor] : file->tensors_)
        file->spec_.config.parameter_count += tensor.element_count();
    return file;
}

const std::string& ModelFile::name() const {
    return gguf_ ? gguf_->name() : folder_->name();
}

std::string ModelFile::spelling_of(const std::string& tensor) const {
    return gguf_ ? tensor : translate(tensor, &NamePair::gguf, &NamePair::folder);
}

bool ModelFile::may_stay_unread(const std::string& tensor) const {
    // A tied head may be saved a second time; rope_freqs is read with the sizes.
    return tensor == "rope_freqs.weight" || (tensor == "output.weight" && spec_.is_tied);
}

Result<std::unique_ptr<Tokenizer>> ModelFile::make_tokenizer() const {
    if (gguf_) return Tokenizer::from_gguf(*gguf_);
    return Tokenizer::from_folder(*folder_, spec_.config.vocabulary_size);
}

Hash128 ModelFile::hash() const {
    return gguf_ ? xxh3_128(gguf_->bytes()) : folder_->hash();
}

}  // namespace mc::lm
