// SPDX-License-Identifier: Apache-2.0
#include "lm/internal/model_config.h"

#include <string>

namespace mc::lm {
namespace {

// Far above any published llama model; they keep products of sizes from overflowing.
constexpr std::uint64_t kLayersMax = 1024;
constexpr std::uint64_t kHeadsMax = 1024;
constexpr std::uint64_t kWidthMax = 1U << 20;
constexpr std::uint64_t kContextMax = 1U << 24;

tl::unexpected<Error> unusable(const GgufFile& file, const std::string& key,
                               const std::string& what) {
    return fail(ErrorCode::kInvalidInput, file.name() + ": " + key + ": " + what);
}

Result<std::uint32_t> get_size(const GgufFile& file, const std::string& key, std::uint64_t max) {
    MC_ASSIGN(const std::uint64_t value, file.get_uint(key));
    if (value == 0 || value > max)
        return unusable(file, key,
                        std::to_string(value) + " is outside 1 to " + std::to_string(max));
    return static_cast<std::uint32_t>(value);
}

// The optional key's value, or the default when the file does not have it.
Result<std::uint32_t> get_size_or(const GgufFile& file, const std::string& key, std::uint64_t max,
                                  std::uint32_t otherwise) {
    if (file.find(key) == nullptr) return otherwise;
    return get_size(file, key, max);
}

Result<void> check_rope(const GgufFile& file, const ModelConfig& config) {
    const std::string scaling = "llama.rope.scaling.type";
    if (file.find(scaling) != nullptr) {
        MC_ASSIGN(const std::string type, file.get_string(scaling));
        if (type != "none") return unusable(file, scaling, "'" + type + "' is not supported");
    }
    const std::string dimension = "llama.rope.dimension_count";
    MC_ASSIGN(const std::uint32_t rotated,
              get_size_or(file, dimension, kWidthMax, config.head_dim));
    if (rotated != config.head_dim)
        return unusable(file, dimension,
                        std::to_string(rotated) + " is not the head width " +
                            std::to_string(config.head_dim) +
                            "; partial rotation is not supported");
    return {};
}

Result<void> read_heads(const GgufFile& file, ModelConfig& config) {
    const std::string heads = "llama.attention.head_count";
    MC_ASSIGN(config.head_count, get_size(file, heads, kHeadsMax));
    MC_ASSIGN(config.kv_head_count,
              get_size_or(file, "llama.attention.head_count_kv", kHeadsMax, config.head_count));
    if (config.head_count % config.kv_head_count != 0)
        return unusable(file, "llama.attention.head_count_kv",
                        std::to_string(config.kv_head_count) + " does not divide " +
                            std::to_string(config.head_count) + " heads");
    MC_ASSIGN(config.head_dim, get_size_or(file, "llama.attention.key_length", kWidthMax,
                                           config.hidden_dim / config.head_count));
    MC_ASSIGN(const std::uint32_t value_dim,
              get_size_or(file, "llama.attention.value_length", kWidthMax, config.head_dim));
    if (config.head_dim == 0 || config.head_dim % 2 != 0)
        return unusable(file, heads, "a head's width must be even and above 0");
    if (value_dim != config.head_dim)
        return unusable(file, "llama.attention.value_length", "keys and values differ in width");
    return {};
}

}  // namespace

Result<ModelConfig> read_model_config(const GgufFile& file) {
    ModelConfig config;
    MC_ASSIGN(config.architecture, file.get_string("general.architecture"));
    if (config.architecture != "llama")
        return unusable(file, "general.architecture",
                        "'" + config.architecture + "' is not supported, only 'llama'");
    if (file.find("general.name") != nullptr) {
        MC_ASSIGN(config.name, file.get_string("general.name"));
    }
    if (file.find("llama.expert_count") != nullptr) {
        MC_ASSIGN(const std::uint64_t experts, file.get_uint("llama.expert_count"));
        if (experts != 0)
            return unusable(file, "llama.expert_count", "mixtures of experts are not supported");
    }
    MC_ASSIGN(config.layer_count, get_size(file, "llama.block_count", kLayersMax));
    MC_ASSIGN(config.hidden_dim, get_size(file, "llama.embedding_length", kWidthMax));
    MC_ASSIGN(config.ffn_dim, get_size(file, "llama.feed_forward_length", kWidthMax));
    MC_ASSIGN(config.context_length, get_size(file, "llama.context_length", kContextMax));
    MC_TRY(read_heads(file, config));
    config.rope_base = 10000.0;  // llama's own, for files that do not say
    if (file.find("llama.rope.freq_base") != nullptr) {
        MC_ASSIGN(config.rope_base, file.get_float("llama.rope.freq_base"));
    }
    if (!(config.rope_base > 1.0)) return unusable(file, "llama.rope.freq_base", "must be above 1");
    MC_ASSIGN(config.norm_epsilon, file.get_float("llama.attention.layer_norm_rms_epsilon"));
    if (!(config.norm_epsilon >= 0.0))
        return unusable(file, "llama.attention.layer_norm_rms_epsilon", "must not be negative");
    MC_TRY(check_rope(file, config));
    return config;
}

}  // namespace mc::lm
