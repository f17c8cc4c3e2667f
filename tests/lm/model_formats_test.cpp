// SPDX-License-Identifier: Apache-2.0
// Models of three architectures, each as a safetensors folder and as GGUF, against the logits of
// PyPI transformers. tools/make_tiny_models_golden.py made the files.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/hash.h"
#include "formats/safetensors.h"
#include "lm/base_model.h"
#include "tests/formats/folder_copy.h"
#include "tests/support/tiny_model.h"

namespace mc::lm::test {
namespace {

constexpr float kTolerance = 1e-4F;  // f32, logits of a few units

Path golden(const std::string& name) {
    return Path(MC_GOLDEN_DIR) / "tiny_models" / name;
}

Result<std::unique_ptr<BaseModel>> open_model(const Path& path, Dtype dtype = Dtype::kF32) {
    ModelOptions options;
    options.path = path;
    options.dtype = dtype;
    return BaseModel::open(options);
}

std::vector<float> logits_after(const BaseModel& model, std::vector<TokenId> tokens) {
    const auto sequence = model.new_sequence();
    const std::vector<Segment> segments = {Segment::of_tokens(std::move(tokens))};
    const auto done = sequence->append(segments);
    EXPECT_TRUE(done) << done.error().to_string();
    return sequence->next_logits().value();
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
    EXPECT_EQ(a.size(), b.size());
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

template <class T>
std::vector<T> values_of(const SafetensorsFile& file, std::string_view name) {
    const SafetensorsTensor* tensor = file.find_tensor(name);
    EXPECT_NE(tensor, nullptr) << name;
    std::vector<T> values(tensor->data.size() / sizeof(T));
    std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
    return values;
}

// Tokens, and the logits that the reference gives after some numbers of them.
struct Reference {
    explicit Reference(const std::string& name) {
        const auto file = SafetensorsFile::open(golden(name + ".golden.safetensors")).value();
        for (const std::int64_t id : values_of<std::int64_t>(*file, "tokens"))
            tokens.push_back(static_cast<TokenId>(id));
        lengths = values_of<std::int64_t>(*file, "lengths");
        logits = values_of<float>(*file, "logits");
    }

    std::vector<TokenId> first(std::int64_t length) const {
        return {tokens.begin(), tokens.begin() + length};
    }

    std::span<const float> row(std::size_t i) const {
        const std::size_t width = logits.size() / lengths.size();
        return std::span(logits).subspan(i * width, width);
    }

    std::vector<TokenId> tokens;
    std::vector<std::int64_t> lengths;
    std::vector<float> logits;
};

class ModelFormats : public testing::TestWithParam<std::string> {
  protected:
    std::unique_ptr<BaseModel> open_folder() const {
        return open_model(golden(GetParam())).value();
    }

    std::unique_ptr<BaseModel> open_gguf() const {
        return open_model(golden(GetParam() + ".gguf")).value();
    }
};

TEST_P(ModelFormats, logits_are_those_of_the_reference_from_both_files) {
    const Reference reference(GetParam());
    const auto folder = open_folder();
    const auto gguf = open_gguf();
    ASSERT_FALSE(reference.lengths.empty());
    for (std::size_t i = 0; i < reference.lengths.size(); ++i) {
        const auto tokens = reference.first(reference.lengths[i]);
        const auto from_folder = logits_after(*folder, tokens);
        const auto from_gguf = logits_after(*gguf, tokens);
        EXPECT_LE(largest_difference(from_folder, reference.row(i)), kTolerance) << tokens.size();
        EXPECT_LE(largest_difference(from_gguf, reference.row(i)), kTolerance) << tokens.size();
        EXPECT_LE(largest_difference(from_gguf, from_folder), kTolerance) << tokens.size();
        RecordProperty("difference_at_" + std::to_string(tokens.size()),
                       std::to_string(largest_difference(from_folder, reference.row(i))));
    }
}

TEST_P(ModelFormats, both_files_are_one_model) {
    const auto folder = open_folder();
    const auto gguf = open_gguf();
    const ModelConfig& a = folder->config();
    const ModelConfig& b = gguf->config();
    EXPECT_EQ(a.architecture, GetParam());
    EXPECT_EQ(a.architecture, b.architecture);
    EXPECT_EQ(a.name, GetParam());
    EXPECT_EQ(a.gist_shape().kv_count(), b.gist_shape().kv_count());
    EXPECT_EQ(a.head_dim, b.head_dim);
    EXPECT_EQ(a.vocabulary_size, b.vocabulary_size);
    EXPECT_EQ(a.context_length, b.context_length);
    EXPECT_EQ(folder->tokenizer().hash(), gguf->tokenizer().hash());
    EXPECT_NE(folder->hash(), gguf->hash()) << "a hash is one of files";
}

TEST_P(ModelFormats, tokens_one_by_one_give_the_logits_of_one_pass) {
    const Reference reference(GetParam());
    const auto model = open_folder();
    const auto sequence = model->new_sequence();
    for (const TokenId token : reference.tokens) {
        const std::vector<Segment> segments = {Segment::of_tokens({token})};
        ASSERT_TRUE(sequence->append(segments));
    }
    EXPECT_LE(largest_difference(sequence->next_logits().value(),
                                 reference.row(reference.lengths.size() - 1)),
              kTolerance);
}

TEST_P(ModelFormats, bf16_stays_near_the_reference) {
    const Reference reference(GetParam());
    const auto model = open_model(golden(GetParam()), Dtype::kBf16).value();
    const auto logits = logits_after(*model, reference.tokens);
    // Rounding to 8 bits, over logits of a few units.
    EXPECT_LE(largest_difference(logits, reference.row(reference.lengths.size() - 1)), 0.3F);
}

INSTANTIATE_TEST_SUITE_P(TinyModels, ModelFormats, testing::Values("llama", "qwen2", "qwen3"),
                         [](const auto& instance) { return instance.param; });

TEST(ModelFolder, the_hash_is_that_of_its_files_in_order) {
    const FolderCopy copy("llama");
    StreamHash hash;
    for (const char* file : {"config.json", "tokenizer.json", "model-00001-of-00002.safetensors",
                             "model-00002-of-00002.safetensors"}) {
        const std::string text = copy.text_of(file);
        hash.update(std::as_bytes(std::span(text)));
    }
    EXPECT_EQ(open_model(copy.path()).value()->hash(), hash.digest());
}

// Why a copy with one field changed is refused, behind the folder's path.
std::string refusal(const FolderCopy& copy) {
    const auto model = open_model(copy.path());
    if (model) return "accepted";
    EXPECT_EQ(model.error().code(), ErrorCode::kInvalidInput);
    const std::string message = model.error().to_string();
    const std::string prefix = copy.path().string();
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

std::string refusal_of_patch(const std::string& model, std::string_view change) {
    const FolderCopy copy(model);
    copy.patch("config.json", change);
    return refusal(copy);
}

TEST(ModelFolder, a_config_that_asks_for_another_computation_is_refused_by_field) {
    const auto at = [](const std::string& what) { return "/config.json: " + what; };
    EXPECT_EQ(refusal_of_patch("llama", R"({"architectures":["MistralForCausalLM"]})"),
              at("architectures [\"MistralForCausalLM\"] is not supported; LlamaForCausalLM, "
                 "Qwen2ForCausalLM and Qwen3ForCausalLM are"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"architectures":null})"),
              at("architectures is missing"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"mlp_bias":true})"),
              at("mlp_bias true is not supported"));
    EXPECT_EQ(refusal_of_patch("qwen3", R"({"attention_bias":true})"),
              at("attention_bias true is not supported"));
    EXPECT_EQ(refusal_of_patch("qwen2", R"({"use_sliding_window":true})"),
              at("use_sliding_window true is not supported"));
    EXPECT_EQ(refusal_of_patch("qwen3", R"({"layer_types":["sliding_attention"]})"),
              at("layer_types 'sliding_attention' is not supported"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"hidden_act":"gelu"})"),
              at("hidden_act 'gelu' is not supported"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"quantization_config":{"bits":4}})"),
              at("quantization_config is not supported"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"rope_scaling":{"rope_type":"longrope"}})"),
              at("rope_scaling.rope_type 'longrope' is not supported"));
    EXPECT_EQ(refusal_of_patch("qwen2", R"({"rope_parameters":{"mscale":1.0}})"),
              at("rope_parameters.mscale is not supported"));
    EXPECT_EQ(refusal_of_patch("qwen2", R"({"rope_parameters":{"partial_rotary_factor":0.5}})"),
              at("rope_parameters.partial_rotary_factor must be 1"));
}

TEST(ModelFolder, a_config_with_wrong_sizes_is_refused_by_field) {
    const auto at = [](const std::string& what) { return "/config.json: " + what; };
    EXPECT_EQ(refusal_of_patch("llama", R"({"hidden_size":null})"), at("hidden_size is missing"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"hidden_size":"32"})"),
              at("hidden_size is not a whole number from 0 on"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"num_hidden_layers":0})"),
              at("num_hidden_layers 0 is outside 1 to 1024"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"num_key_value_heads":3})"),
              at("num_key_value_heads 3 does not divide 4 heads"));
    EXPECT_EQ(refusal_of_patch("qwen3", R"({"head_dim":7})"),
              at("head_dim must be even and above 0"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"rms_norm_eps":null})"), at("rms_norm_eps is missing"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"rope_scaling":{"factor":null}})"),
              at("rope_scaling.factor is missing"));
    EXPECT_EQ(refusal_of_patch("llama", R"({"intermediate_size":40})"),
              ": tensor model.layers.0.mlp.gate_proj.weight has shape (32, 48), expected (32, 40)");
}

TEST(ModelFolder, weights_that_do_not_fit_the_architecture_are_refused_by_name) {
    EXPECT_EQ(refusal_of_patch("llama", R"({"num_hidden_layers":3})"),
              ": tensor model.layers.2.input_layernorm.weight is missing");
    EXPECT_EQ(refusal_of_patch("llama", R"({"num_hidden_layers":1})"),
              ": tensor model.layers.1.self_attn.k_proj.weight is not one that llama has");
    EXPECT_EQ(refusal_of_patch("qwen2", R"({"architectures":["LlamaForCausalLM"]})"),
              ": tensor model.layers.0.self_attn.k_proj.bias is not one that llama has");
    EXPECT_EQ(refusal_of_patch("llama", R"({"architectures":["Qwen2ForCausalLM"]})"),
              ": tensor model.layers.0.self_attn.q_proj.bias is missing");
    EXPECT_EQ(refusal_of_patch("qwen2", R"({"tie_word_embeddings":false})"),
              ": tensor lm_head.weight is missing");
    EXPECT_EQ(refusal_of_patch("llama", R"({"tie_word_embeddings":true})"), "accepted");
}

TEST(ModelFolder, shards_that_are_missing_or_elsewhere_are_named) {
    const std::string index = "model.safetensors.index.json";
    const FolderCopy copy("llama");
    copy.patch(index, R"({"weight_map":{"model.norm.weight":"../other.safetensors"}})");
    EXPECT_EQ(refusal(copy), "/" + index +
                                 ": weight_map.model.norm.weight is not the name of a file in "
                                 "the folder");
    copy.patch(index, R"({"weight_map":{"model.norm.weight":"model-00002-of-00002.safetensors"}})");
    EXPECT_EQ(
        refusal(copy),
        "/" + index + ": weight_map.model.norm.weight is not in model-00002-of-00002.safetensors");
    copy.patch(index, R"({"weight_map":{"model.norm.weight":"none.safetensors"}})");
    EXPECT_NE(refusal(copy).find("none.safetensors: No such file"), std::string::npos);
    std::filesystem::remove(copy.path() / index);
    EXPECT_EQ(refusal(copy),
              ": neither model.safetensors nor model.safetensors.index.json is there");
}

TEST(ModelFolder, a_dtype_that_no_weight_has_is_refused_by_tensor) {
    const FolderCopy copy("qwen2");
    const std::vector<std::byte> data(64);
    const std::vector<SafetensorsTensor> tensors = {
        {"model.norm.weight", SafetensorsDtype::kI64, {8}, data}};
    ASSERT_TRUE(write_safetensors(copy.path() / "model.safetensors", tensors, {}));
    EXPECT_EQ(refusal(copy),
              ": tensor model.norm.weight: dtype I64 is not supported; F32, F16 and BF16 are");
}

void expect_refused(const std::string& gguf, const std::string& named) {
    const auto model = open_tiny_model(gguf);
    ASSERT_FALSE(model) << named;
    EXPECT_EQ(model.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(model.error().to_string().find(named), std::string::npos)
        << model.error().to_string();
}

TEST(GgufModel, rope_scaling_that_is_not_computed_is_refused_by_key) {
    const auto with = [](const std::string& key, const std::string& value) {
        GgufWriter writer;
        add_metadata(writer, {}, "llama");
        writer.with_string("llama.rope.scaling.type", key == "type" ? value : "yarn")
            .with_uint("llama.rope.scaling.original_context_length", 64)
            .entry("llama.rope.scaling.factor", kTypeFloat32, ByteWriter().number(4.0F));
        if (key != "type")
            writer.entry("llama.rope.scaling." + key, kTypeFloat32, ByteWriter().number(1.0F));
        return writer.build();
    };
    expect_refused(with("type", "longrope"),
                   "llama.rope.scaling.type: 'longrope' is not supported");
    expect_refused(with("yarn_ext_factor", ""),
                   "llama.rope.scaling.yarn_ext_factor: is not supported");
}

TEST(GgufModel, a_weight_of_another_computation_is_refused_by_name) {
    const TinyShape shape;
    GgufWriter writer = tiny_model_writer(shape);
    writer.with_tensor("blk.0.attn_output.bias", {shape.hidden_dim}, GgmlType::kF32,
                       std::string(4 * shape.hidden_dim, '\0'));
    expect_refused(writer.build(), "tensor blk.0.attn_output.bias is not one that llama has");
    writer = tiny_model_writer(shape);
    writer.with_tensor("rope_freqs.weight", {3}, GgmlType::kF32, std::string(12, '\1'));
    expect_refused(writer.build(), "tensor rope_freqs.weight has 3 elements, expected 4");
}

}  // namespace
}  // namespace mc::lm::test
