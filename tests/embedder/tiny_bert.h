// SPDX-License-Identifier: Apache-2.0
// A folder of a sentence embedder with random weights, small enough to be written often: what the
// loader asks for, and nothing else. Tests change one file.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/files.h"
#include "core/rng.h"
#include "formats/safetensors.h"

namespace mc::embedder::test {

using Shapes = std::map<std::string, std::vector<std::uint64_t>>;

class TinyBert {
  public:
    static constexpr std::uint64_t kHidden = 32;
    static constexpr std::uint64_t kInner = 80;  // no multiple of what kernels take at once
    static constexpr std::uint64_t kLayers = 2;
    static constexpr std::uint64_t kPositions = 24;
    static constexpr std::uint64_t kTokensMax = 16;

    explicit TinyBert(const std::string& name)
        : path_(Path(testing::TempDir()) /
                ("tiny-bert-" + name + "-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_ / "1_Pooling");
        for (const auto& [file, text] : texts()) write(file, text);
        write_weights(shapes());
    }

    ~TinyBert() { std::filesystem::remove_all(path_); }

    TinyBert(const TinyBert&) = delete;
    TinyBert& operator=(const TinyBert&) = delete;

    const Path& path() const { return path_; }

    void write(const std::string& file, const std::string& text) const {
        std::ofstream(path_ / file, std::ios::binary) << text;
    }

    std::string read(const std::string& file) const {
        return read_file(path_ / file, 1 << 24).value();
    }

    void replace_in(const std::string& file, const std::string& from, const std::string& to) const {
        std::string text = read(file);
        const std::size_t at = text.find(from);
        MC_CHECK(at != std::string::npos, file + " has no " + from);
        write(file, text.replace(at, from.size(), to));
    }

    static Shapes shapes() {
        Shapes all = {{"embeddings.word_embeddings.weight", {words().size(), kHidden}},
                      {"embeddings.position_embeddings.weight", {kPositions, kHidden}},
                      {"embeddings.token_type_embeddings.weight", {2, kHidden}}};
        const auto norm = [&](const std::string& name) {
            all[name + ".LayerNorm.weight"] = all[name + ".LayerNorm.bias"] = {kHidden};
        };
        const auto linear = [&](const std::string& name, std::uint64_t out, std::uint64_t in) {
            all[name + ".weight"] = {out, in};
            all[name + ".bias"] = {out};
        };
        norm("embeddings");
        linear("pooler.dense", kHidden, kHidden);  // not read
        for (std::uint64_t l = 0; l < kLayers; ++l) {
            const std::string name = "encoder.layer." + std::to_string(l) + ".";
            for (const auto* const part : {"query", "key", "value"})
                linear(name + "attention.self." + part, kHidden, kHidden);
            linear(name + "attention.output.dense", kHidden, kHidden);
            norm(name + "attention.output");
            linear(name + "intermediate.dense", kInner, kHidden);
            linear(name + "output.dense", kHidden, kInner);
            norm(name + "output");
        }
        return all;
    }

    void write_weights(const Shapes& shapes,
                       lm::SafetensorsDtype dtype = lm::SafetensorsDtype::kF32) const {
        Rng rng(3);
        std::vector<std::vector<float>> kept;
        std::vector<lm::SafetensorsTensor> tensors;
        for (const auto& [name, shape] : shapes) {
            std::uint64_t count = 1;
            for (const std::uint64_t extent : shape) count *= extent;
            std::vector<float>& values = kept.emplace_back(count);
            for (float& value : values) value = static_cast<float>(rng.below(2001)) * 1e-3F - 1.0F;
            auto bytes = std::as_bytes(std::span(values));
            if (dtype != lm::SafetensorsDtype::kF32) bytes = bytes.first(bytes.size() / 2);
            tensors.push_back({name, dtype, shape, bytes});
        }
        const auto written = lm::write_safetensors(path_ / "model.safetensors", tensors, {});
        MC_CHECK(written.has_value(), "the weights can be written");
    }

    static std::vector<std::string> words() {
        std::vector<std::string> all = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "red", "house",
                                        "##s",   "boat",  ",",     ".",     "日",  "本"};
        for (char letter = 'a'; letter <= 'z'; ++letter) {
            all.emplace_back(1, letter);
            if (letter != 's') all.push_back(std::string("##") + letter);
        }
        return all;
    }

  private:
    static std::map<std::string, std::string> texts() {
        std::string vocabulary;
        for (const std::string& word : words()) vocabulary += word + "\n";
        const auto number = [](std::uint64_t value) { return std::to_string(value); };
        return {{"vocab.txt", vocabulary},
                {"config.json", R"({"model_type":"bert","hidden_act":"gelu","hidden_size":)" +
                                    number(kHidden) + R"(,"intermediate_size":)" + number(kInner) +
                                    R"(,"num_hidden_layers":)" + number(kLayers) +
                                    R"(,"num_attention_heads":2,"max_position_embeddings":)" +
                                    number(kPositions) + R"(,"type_vocab_size":2,"vocab_size":)" +
                                    number(words().size()) + "}"},
                {"sentence_bert_config.json", R"({"max_seq_length":)" + number(kTokensMax) + "}"},
                {"1_Pooling/config.json", R"({"pooling_mode_mean_tokens":true})"}};
    }

    const Path path_;
};

}  // namespace mc::embedder::test
