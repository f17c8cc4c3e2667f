// SPDX-License-Identifier: Apache-2.0
#include "lm/model/model_spec.h"

#include <algorithm>
#include <string>

namespace mc::lm {
namespace {

constexpr std::string_view kArchitectures[] = {"llama", "qwen2", "qwen3"};

// Metadata of one file under its architecture's prefix.
class MetadataReader {
  public:
    MetadataReader(const GgufFile& file, std::string architecture)
        : file_(file), architecture_(std::move(architecture)) {}

    tl::unexpected<Error> unusable(const std::string& key, const std::string& what) const {
        return fail(ErrorCode::kInvalidInput, file_.name() + ": " + full(key) + ": " + what);
    }

    bool has(const std::string& key) const { return file_.find(full(key)) != nullptr; }

    Result<std::uint32_t> get_size(const std::string& key, std::uint64_t max) const {
        MC_ASSIGN(const std::uint64_t value, file_.get_uint(full(key)));
        if (value == 0 || value > max)
            return unusable(key, std::to_string(value) + " is outside 1 to " + std::to_string(max));
        return static_cast<std::uint32_t>(value);
    }

    // The optional key's value, or the default when the file does not have it.
    Result<std::uint32_t> get_size_or(const std::string& key, std::uint64_t max,
                                      std::uint32_t otherwise) const {
        if (!has(key)) return otherwise;
        return get_size(key, max);
    }

    Result<double> get_above(const std::string& key, double limit) const {
        MC_ASSIGN(const double value, file_.get_float(full(key)));
        if (!(value > limit) || !(value < 1e30))
            return unusable(key, "must be a number above " + std::to_string(limit));
        return value;
    }

    Result<double> get_above_or(const std::string& key, double limit, double otherwise) const {
        if (!has(key)) return otherwise;
        return get_above(key, limit);
    }

    Result<std::string> get_string(const std::string& key) const {
        return file_.get_string(full(key));
    }

    Result<std::uint64_t> get_uint(const std::string& key) const {
        return file_.get_uint(full(key));
    }

    Result<double> get_float(const std::string& key) const { return file_.get_float(full(key)); }

  private:
    std::string full(const std::string& key) const { return architecture_ + "." + key; }

    const GgufFile& file_;
    const std::string architecture_;
};

Result<RopeScaling> read_yarn(const MetadataReader& reader, const ModelConfig& config,
                              double factor) {
    YarnStretch yarn;
    yarn.factor = factor;
    MC_ASSIGN(yarn.original_context,
              reader.get_size("rope.scaling.original_context_length", kContextMax));
    for (const char* key : {"rope.scaling.attn_factor", "rope.scaling.yarn_log_multiplier",
                            "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor"})
        if (reader.has(key)) return reader.unusable(key, "is not supported");
    MC_ASSIGN(yarn.beta_fast,
              reader.get_above_or("rope.scaling.yarn_beta_fast", 0, yarn.beta_fast));
    MC_ASSIGN(yarn.beta_slow,
              reader.get_above_or("rope.scaling.yarn_beta_slow", 0, yarn.beta_slow));
    yarn.attention_factor = yarn_attention_factor(factor);
    return yarn_scaling(yarn, config.rope_base, config.head_dim);
}

Result<RopeScaling> read_scaling(const MetadataReader& reader, const ModelConfig& config) {
    const std::string scaling = "rope.scaling.type";
    if (!reader.has(scaling)) return RopeScaling();
    MC_ASSIGN(const std::string type, reader.get_string(scaling));
    if (type == "none") return RopeScaling();
    if (type != "linear" && type != "yarn")
        return reader.unusable(scaling, "'" + type + "' is not supported");
    MC_ASSIGN(const double factor, reader.get_above("rope.scaling.factor", 0));
    if (type == "linear") return linear_scaling(factor, config.head_dim);
    return read_yarn(reader, config, factor);
}

// Llama 3.1 and later carry the divisors themselves.
Result<void> read_rope_factors(const GgufFile& file, const ModelConfig& config,
                               RopeScaling& scaling) {
    const GgufTensor* tensor = file.find_tensor("rope_freqs.weight");
    if (tensor == nullptr) return {};
    const auto error = [&](const std::string& what) {
        return fail(ErrorCode::kInvalidInput, file.name() + ": tensor rope_freqs.weight " + what);
    };
    if (tensor->element_count() != config.head_dim / 2)
        return error("has " + std::to_string(tensor->element_count()) + " elements, expected " +
                     std::to_string(config.head_dim / 2));
    MC_ASSIGN(const std::vector<float> factors, dequantize(*tensor));
    scaling.divisors.resize(factors.size(), 1);
    for (std::size_t i = 0; i < factors.size(); ++i) {
        if (!(factors[i] > 0)) return error("holds a divisor that is not above 0");
        scaling.divisors[i] *= static_cast<double>(factors[i]);
    }
    return {};
}

Result<void> read_rope(const MetadataReader& reader, const GgufFile& file, ModelSpec& spec) {
    ModelConfig& config = spec.config;
    // llama's own, for files that do not say
    MC_ASSIGN(config.rope_base, reader.get_above_or("rope.freq_base", 1.0, 10000.0));
    const std::string dimension = "rope.dimension_count";
    MC_ASSIGN(const std::uint32_t rotated,
              reader.get_size_or(dimension, kWidthMax, config.head_dim));
    if (rotated != config.head_dim)
        return reader.unusable(dimension, std::to_string(rotated) + " is not the head width " +
                                              std::to_string(config.head_dim) +
                                              "; partial rotation is not supported");
    MC_ASSIGN(spec.rope, read_scaling(reader, config));
    return read_rope_factors(file, config, spec.rope);
}

Result<void> read_heads(const MetadataReader& reader, ModelConfig& config) {
    const std::string heads = "attention.head_count";
    MC_ASSIGN(config.head_count, reader.get_size(heads, kHeadsMax));
    const std::string kv_heads = "attention.head_count_kv";
    MC_ASSIGN(config.kv_head_count, reader.get_size_or(kv_heads, kHeadsMax, config.head_count));
    if (config.head_count % config.kv_head_count != 0)
        return reader.unusable(kv_heads, std::to_string(config.kv_head_count) +
                                             " does not divide " +
                                             std::to_string(config.head_count) + " heads");
    MC_ASSIGN(config.head_dim, reader.get_size_or("attention.key_length", kWidthMax,
                                                  config.hidden_dim / config.head_count));
    const std::string value_length = "attention.value_length";
    MC_ASSIGN(const std::uint32_t value_dim,
              reader.get_size_or(value_length, kWidthMax, config.head_dim));
    if (config.head_dim == 0 || config.head_dim % 2 != 0)
        return reader.unusable(heads, "a head's width must be even and above 0");
    if (value_dim != config.head_dim)
        return reader.unusable(value_length, "keys and values differ in width");
    return {};
}

Result<std::string> read_architecture(const GgufFile& file) {
    MC_ASSIGN(const std::string name, file.get_string("general.architecture"));
    if (std::ranges::find(kArchitectures, name) == std::end(kArchitectures))
        return fail(ErrorCode::kInvalidInput,
                    file.name() + ": general.architecture: '" + name +
                        "' is not supported; 'llama', 'qwen2' and 'qwen3' are");
    return name;
}

}  // namespace

Result<ModelSpec> read_model_spec(const GgufFile& file) {
    ModelSpec spec;
    ModelConfig& config = spec.config;
    MC_ASSIGN(config.architecture, read_architecture(file));
    const MetadataReader reader(file, config.architecture);
    if (file.find("general.name") != nullptr) {
        MC_ASSIGN(config.name, file.get_string("general.name"));
    }
    if (reader.has("expert_count")) {
        MC_ASSIGN(const std::uint64_t experts, reader.get_uint("expert_count"));
        if (experts != 0)
            return reader.unusable("expert_count", "mixtures of experts are not supported");
    }
    MC_ASSIGN(config.layer_count, reader.get_size("block_count", kLayersMax));
    MC_ASSIGN(config.hidden_dim, reader.get_size("embedding_length", kWidthMax));
    MC_ASSIGN(config.ffn_dim, reader.get_size("feed_forward_length", kWidthMax));
    MC_ASSIGN(config.context_length, reader.get_size("context_length", kContextMax));
    MC_TRY(read_heads(reader, config));
    const std::string epsilon = "attention.layer_norm_rms_epsilon";
    MC_ASSIGN(config.norm_epsilon, reader.get_float(epsilon));
    if (!(config.norm_epsilon >= 0.0)) return reader.unusable(epsilon, "must not be negative");
    MC_TRY(read_rope(reader, file, spec));
    // llama's rows are interleaved when a file is made; the others keep their own order.
    spec.has_half_split_heads = config.architecture != "llama";
    spec.has_head_norms = config.architecture == "qwen3";
    spec.has_qkv_bias =
        config.architecture == "qwen2" || file.find_tensor("blk.0.attn_q.bias") != nullptr;
    spec.is_tied = file.find_tensor("output.weight") == nullptr;
    return spec;
}

}  // namespace mc::lm
