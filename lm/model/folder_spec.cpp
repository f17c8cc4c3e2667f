// SPDX-License-Identifier: Apache-2.0
// read_model_spec of a model folder: config.json of LlamaForCausalLM, Qwen2ForCausalLM and
// Qwen3ForCausalLM, as transformers 4 and 5 write it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "lm/model/model_spec.h"

namespace mc::lm {
namespace {

struct KnownClass {
    std::string_view name;
    std::string_view architecture;
};

constexpr KnownClass kKnownClasses[] = {
    {"LlamaForCausalLM", "llama"}, {"Qwen2ForCausalLM", "qwen2"}, {"Qwen3ForCausalLM", "qwen3"}};

Result<std::uint32_t> get_size(const JsonFields& fields, std::string_view key, std::uint64_t max) {
    MC_ASSIGN(const std::uint64_t value, fields.get_uint(key));
    if (value == 0 || value > max)
        return fail(
            fields.error(key, std::to_string(value) + " is outside 1 to " + std::to_string(max)));
    return static_cast<std::uint32_t>(value);
}

Result<std::uint32_t> get_size_or(const JsonFields& fields, std::string_view key, std::uint64_t max,
                                  std::uint32_t otherwise) {
    if (!fields.has(key)) return otherwise;
    return get_size(fields, key, max);
}

Result<double> get_above(const JsonFields& fields, std::string_view key, double limit) {
    MC_ASSIGN(const double value, fields.get_float(key));
    if (!(value > limit) || !(value < 1e30))
        return fail(fields.error(key, "must be a number above " + std::to_string(limit)));
    return value;
}

Result<double> get_above_or(const JsonFields& fields, std::string_view key, double limit,
                            double otherwise) {
    if (!fields.has(key)) return otherwise;
    return get_above(fields, key, limit);
}

Result<void> refuse_true(const JsonFields& fields, std::string_view key) {
    MC_ASSIGN(const bool value, fields.get_bool_or(key, false));
    if (value) return fail(fields.error(key, "true is not supported"));
    return {};
}

Result<std::string> read_architecture(const JsonFields& fields) {
    MC_ASSIGN(const auto classes, fields.get_strings("architectures"));
    const auto* known = std::end(kKnownClasses);
    if (classes.size() == 1)
        known = std::ranges::find(kKnownClasses, std::string_view(classes[0]), &KnownClass::name);
    if (known == std::end(kKnownClasses))
        return fail(fields.error("architectures",
                                 fields.find("architectures")->dump() +
                                     " is not supported; LlamaForCausalLM, Qwen2ForCausalLM and "
                                     "Qwen3ForCausalLM are"));
    return std::string(known->architecture);
}

// Whatever changes the computation and is not computed here.
Result<void> refuse_variants(const JsonFields& fields) {
    for (const char* key : {"mlp_bias", "attention_bias", "use_sliding_window", "rope_interleaved"})
        MC_TRY(refuse_true(fields, key));
    if (fields.has("quantization_config"))
        return fail(fields.error("quantization_config", "is not supported"));
    MC_ASSIGN(const std::string activation, fields.get_string_or("hidden_act", "silu"));
    if (activation != "silu")
        return fail(fields.error("hidden_act", "'" + activation + "' is not supported"));
    if (!fields.has("layer_types")) return {};
    MC_ASSIGN(const auto layer_types, fields.get_strings("layer_types"));
    for (const std::string& type : layer_types)
        if (type != "full_attention")
            return fail(fields.error("layer_types", "'" + type + "' is not supported"));
    return {};
}

Result<void> read_heads(const JsonFields& fields, ModelConfig& config) {
    MC_ASSIGN(config.head_count, get_size(fields, "num_attention_heads", kHeadsMax));
    MC_ASSIGN(config.kv_head_count,
              get_size_or(fields, "num_key_value_heads", kHeadsMax, config.head_count));
    if (config.head_count % config.kv_head_count != 0)
        return fail(fields.error("num_key_value_heads",
                                 std::to_string(config.kv_head_count) + " does not divide " +
                                     std::to_string(config.head_count) + " heads"));
    // Qwen3's class has a default of its own, which its files always spell out.
    if (config.architecture == "qwen3") {
        MC_ASSIGN(config.head_dim, get_size(fields, "head_dim", kWidthMax));
    } else {
        MC_ASSIGN(config.head_dim, get_size_or(fields, "head_dim", kWidthMax,
                                               config.hidden_dim / config.head_count));
    }
    if (config.head_dim == 0 || config.head_dim % 2 != 0)
        return fail(fields.error("head_dim", "must be even and above 0"));
    return {};
}

Result<RopeScaling> read_llama3(const JsonFields& rope, const ModelConfig& config) {
    Llama3Stretch stretch;
    MC_ASSIGN(stretch.factor, get_above(rope, "factor", 0));
    MC_ASSIGN(stretch.low_freq_factor, get_above(rope, "low_freq_factor", 0));
    MC_ASSIGN(stretch.high_freq_factor,
              get_above(rope, "high_freq_factor", stretch.low_freq_factor));
    MC_ASSIGN(stretch.original_context, get_above(rope, "original_max_position_embeddings", 0));
    return llama3_scaling(stretch, config.rope_base, config.head_dim);
}

Result<RopeScaling> read_yarn(const JsonFields& rope, const ModelConfig& config) {
    for (const char* key : {"mscale", "mscale_all_dim"})
        if (rope.has(key)) return fail(rope.error(key, "is not supported"));
    MC_ASSIGN(const bool truncates, rope.get_bool_or("truncate", true));
    if (!truncates) return fail(rope.error("truncate", "false is not supported"));
    YarnStretch yarn;
    MC_ASSIGN(yarn.factor, get_above(rope, "factor", 0));
    MC_ASSIGN(yarn.original_context,
              get_above_or(rope, "original_max_position_embeddings", 0, config.context_length));
    MC_ASSIGN(yarn.beta_fast, get_above_or(rope, "beta_fast", 0, yarn.beta_fast));
    MC_ASSIGN(yarn.beta_slow, get_above_or(rope, "beta_slow", 0, yarn.beta_slow));
    MC_ASSIGN(yarn.attention_factor,
              get_above_or(rope, "attention_factor", 0, yarn_attention_factor(yarn.factor)));
    return yarn_scaling(yarn, config.rope_base, config.head_dim);
}

Result<RopeScaling> read_scaling(const JsonFields& rope, const ModelConfig& config) {
    const char* key = rope.has("rope_type") ? "rope_type" : "type";
    MC_ASSIGN(const std::string type, rope.get_string_or(key, "default"));
    MC_ASSIGN(const double rotated, rope.get_float_or("partial_rotary_factor", 1));
    if (rotated != 1) return fail(rope.error("partial_rotary_factor", "must be 1"));
    if (type == "default") return RopeScaling();
    if (type == "llama3") return read_llama3(rope, config);
    if (type == "yarn") return read_yarn(rope, config);
    if (type != "linear") return fail(rope.error(key, "'" + type + "' is not supported"));
    MC_ASSIGN(const double factor, get_above(rope, "factor", 0));
    return linear_scaling(factor, config.head_dim);
}

// transformers 5 puts rope_theta and scaling in rope_parameters.
Result<void> read_rope(const JsonFields& fields, ModelSpec& spec) {
    const char* key = fields.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    MC_ASSIGN(spec.config.rope_base, get_above_or(fields, "rope_theta", 1, 10000));
    MC_ASSIGN(const double rotated, fields.get_float_or("partial_rotary_factor", 1));
    if (rotated != 1) return fail(fields.error("partial_rotary_factor", "must be 1"));
    if (!fields.has(key)) return {};
    MC_ASSIGN(const JsonFields rope, fields.get_object(key));
    MC_ASSIGN(spec.config.rope_base, get_above_or(rope, "rope_theta", 1, spec.config.rope_base));
    MC_ASSIGN(spec.rope, read_scaling(rope, spec.config));
    return {};
}

// The last part of a path, with or without a slash behind it.
std::string folder_name(const Path& path) {
    const Path clean = path.lexically_normal();
    return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

}  // namespace

Result<ModelSpec> read_model_spec(const ModelFolder& folder) {
    const JsonFields fields = folder.config();
    ModelSpec spec;
    ModelConfig& config = spec.config;
    MC_ASSIGN(config.architecture, read_architecture(fields));
    MC_TRY(refuse_variants(fields));
    config.name = folder_name(folder.name());
    MC_ASSIGN(config.vocabulary_size, get_size(fields, "vocab_size", kGgufArrayLengthMax));
    MC_ASSIGN(config.layer_count, get_size(fields, "num_hidden_layers", kLayersMax));
    MC_ASSIGN(config.hidden_dim, get_size(fields, "hidden_size", kWidthMax));
    MC_ASSIGN(config.ffn_dim, get_size(fields, "intermediate_size", kWidthMax));
    MC_ASSIGN(config.context_length, get_size(fields, "max_position_embeddings", kContextMax));
    MC_TRY(read_heads(fields, config));
    MC_ASSIGN(config.norm_epsilon, fields.get_float("rms_norm_eps"));
    if (!(config.norm_epsilon >= 0.0))
        return fail(fields.error("rms_norm_eps", "must not be negative"));
    MC_TRY(read_rope(fields, spec));
    spec.has_half_split_heads = true;
    spec.has_qkv_bias = config.architecture == "qwen2";
    spec.has_head_norms = config.architecture == "qwen3";
    MC_ASSIGN(spec.is_tied, fields.get_bool_or("tie_word_embeddings", false));
    return spec;
}

}  // namespace mc::lm
