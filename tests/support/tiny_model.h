// SPDX-License-Identifier: Apache-2.0
// A llama model of a few thousand random weights as a GGUF file, with the toy tokenizer's
// vocabulary, so that laws of the base model and the encoder are tested where no model is
// installed.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "lm/base_model.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::lm::test {

struct TinyShape {
    std::uint32_t layer_count = 2;
    std::uint32_t hidden_dim = 32;
    std::uint32_t head_count = 4;
    std::uint32_t kv_head_count = 2;
    std::uint32_t ffn_dim = 48;
    std::uint32_t context_length = 512;
    std::uint64_t seed = 1;
};

// Little-endian f32 values, roughly normal with this deviation.
inline std::string random_floats(Rng& rng, std::size_t count, double deviation, double centre = 0) {
    ByteWriter bytes;
    for (std::size_t i = 0; i < count; ++i) {
        double sum = -6;
        for (int k = 0; k < 12; ++k) sum += rng.uniform();
        bytes.number(static_cast<float>(centre + deviation * sum));
    }
    return bytes.bytes();
}

inline void add_metadata(GgufWriter& writer, const TinyShape& shape,
                         const std::string& architecture) {
    const auto with_float = [&](std::string_view key, float value) {
        writer.entry(key, kTypeFloat32, ByteWriter().number(value));
    };
    writer.with_string("general.architecture", architecture)
        .with_string("general.name", "tiny")
        .with_uint("llama.block_count", shape.layer_count)
        .with_uint("llama.context_length", shape.context_length)
        .with_uint("llama.embedding_length", shape.hidden_dim)
        .with_uint("llama.feed_forward_length", shape.ffn_dim)
        .with_uint("llama.attention.head_count", shape.head_count)
        .with_uint("llama.attention.head_count_kv", shape.kv_head_count);
    with_float("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    with_float("llama.rope.freq_base", 1000.0F);
}

// A name and its ggml shape (contiguous axis first).
struct TinyTensor {
    std::string name;
    std::vector<std::uint64_t> shape;
};

inline std::vector<TinyTensor> tiny_tensors(const TinyShape& shape, std::uint64_t vocabulary_size) {
    const std::uint64_t width = shape.hidden_dim;
    const std::uint64_t kv_rows = width / shape.head_count * shape.kv_head_count;
    std::vector<TinyTensor> tensors = {{"token_embd.weight", {width, vocabulary_size}},
                                       {"output_norm.weight", {width}}};
    for (std::uint32_t l = 0; l < shape.layer_count; ++l) {
        const std::string prefix = "blk." + std::to_string(l) + ".";
        tensors.push_back({prefix + "attn_norm.weight", {width}});
        tensors.push_back({prefix + "attn_q.weight", {width, width}});
        tensors.push_back({prefix + "attn_k.weight", {width, kv_rows}});
        tensors.push_back({prefix + "attn_v.weight", {width, kv_rows}});
        tensors.push_back({prefix + "attn_output.weight", {width, width}});
        tensors.push_back({prefix + "ffn_norm.weight", {width}});
        tensors.push_back({prefix + "ffn_gate.weight", {width, shape.ffn_dim}});
        tensors.push_back({prefix + "ffn_up.weight", {width, shape.ffn_dim}});
        tensors.push_back({prefix + "ffn_down.weight", {shape.ffn_dim, width}});
    }
    return tensors;
}

// What a test changes to make a file that is wrong in one place.
struct TinyFault {
    std::string architecture = "llama";
    std::string missing_tensor;
    std::string short_tensor;  // loses its last row
};

inline GgufWriter tiny_model_writer(const TinyShape& shape = {}, const TinyFault& fault = {}) {
    GgufWriter writer = toy_gguf();
    add_metadata(writer, shape, fault.architecture);
    const auto vocabulary_size =
        static_cast<std::uint64_t>(make_toy_tokenizer()->vocabulary_size());
    Rng rng(shape.seed);
    for (TinyTensor& tensor : tiny_tensors(shape, vocabulary_size)) {
        if (tensor.name == fault.missing_tensor) continue;
        if (tensor.name == fault.short_tensor) --tensor.shape.back();
        std::size_t count = 1;
        for (const std::uint64_t extent : tensor.shape) count *= extent;
        const bool is_norm = tensor.shape.size() == 1;
        const double deviation = is_norm ? 0.1 : 1.5 / std::sqrt(double(tensor.shape.front()));
        writer.with_tensor(tensor.name, tensor.shape, GgmlType::kF32,
                           random_floats(rng, count, deviation, is_norm ? 1.0 : 0.0));
    }
    return writer;
}

inline std::string tiny_model_bytes(const TinyShape& shape = {}, const TinyFault& fault = {}) {
    return tiny_model_writer(shape, fault).build();
}

// Opens the bytes as a model, by way of a temporary file.
inline Result<std::unique_ptr<BaseModel>> open_tiny_model(const std::string& bytes,
                                                          Dtype dtype = Dtype::kF32) {
    const Path path = Path(testing::TempDir()) / ("tiny-" + std::to_string(::getpid()) + ".gguf");
    MC_TRY(replace_file(path, std::as_bytes(std::span(bytes))));
    ModelOptions options;
    options.path = path;
    options.dtype = dtype;
    auto model = BaseModel::open(options);
    std::filesystem::remove(path);  // the weights are in memory
    return model;
}

inline std::unique_ptr<BaseModel> make_tiny_model(const TinyShape& shape = {}) {
    auto model = open_tiny_model(tiny_model_bytes(shape));
    MC_CHECK(model.has_value(), model.error().to_string());
    return std::move(*model);
}

// Token ids of the vocabulary, without control tokens.
inline std::vector<TokenId> random_tokens(const Tokenizer& tokenizer, std::size_t count,
                                          std::uint64_t seed) {
    Rng rng(seed);
    std::vector<TokenId> tokens;
    while (tokens.size() < count) {
        const auto token = static_cast<TokenId>(
            rng.below(static_cast<std::uint64_t>(tokenizer.vocabulary_size())));
        if (!tokenizer.is_control(token)) tokens.push_back(token);
    }
    return tokens;
}

}  // namespace mc::lm::test
