// SPDX-License-Identifier: Apache-2.0
// A sentence embedder's folder as published: config.json, vocab.txt, model.safetensors, and what
// says how token vectors become one vector (1_Pooling/config.json, sentence_bert_config.json).
//
// Reads uncased BERT encoders with absolute positions, erf GELU, mean pooling and weights in F32;
// any size. Everything is checked here, so that whoever computes need not. Ownership: owns the
// mapping of the weights; a BertTensors dies with it. Threads: const, free. Errors: kInvalidInput
// that names file and field or tensor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/hash.h"
#include "core/result.h"
#include "embedder/wordpiece.h"
#include "formats/safetensors.h"

namespace mc::embedder {

struct BertConfig {
    std::uint32_t hidden_dim = 0;
    std::uint32_t ffn_dim = 0;
    std::uint32_t layer_count = 0;
    std::uint32_t head_count = 0;
    std::uint32_t vocabulary_size = 0;
    std::uint32_t type_count = 0;
    std::uint32_t position_count = 0;
    std::uint32_t tokens_max = 0;  // of one text, ≤ position_count
    float norm_epsilon = 0;

    std::uint32_t head_dim() const { return hidden_dim / head_count; }
};

// Bytes of f32 numbers, row-major, perhaps not aligned.
using TensorBytes = std::span<const std::byte>;

struct BertLinear {
    TensorBytes weight;  // (out, in)
    TensorBytes bias;    // (out)
};

struct BertNorm {
    TensorBytes weight;  // (hidden_dim)
    TensorBytes bias;
};

struct BertLayer {
    BertLinear query, key, value;  // (hidden_dim, hidden_dim)
    BertLinear attention_output;   // (hidden_dim, hidden_dim)
    BertNorm attention_norm;
    BertLinear ffn_in;   // (ffn_dim, hidden_dim)
    BertLinear ffn_out;  // (hidden_dim, ffn_dim)
    BertNorm ffn_norm;
};

struct BertTensors {
    TensorBytes words;      // (vocabulary_size, hidden_dim)
    TensorBytes positions;  // (position_count, hidden_dim)
    TensorBytes types;      // (type_count, hidden_dim)
    BertNorm norm;
    std::vector<BertLayer> layers;
};

class BertFolder {
  public:
    // Cost: reads the vocabulary, and all weights once for the hash.
    static Result<std::unique_ptr<BertFolder>> open(const Path& folder);

    const BertConfig& config() const { return config_; }

    const BertTensors& tensors() const { return tensors_; }

    const WordPiece& word_piece() const { return *word_piece_; }

    // XXH3-128 of model.safetensors and vocab.txt.
    Hash128 hash() const { return hash_; }

    // The folder's name, or its parent's where it is just "model".
    const std::string& name() const { return name_; }

  private:
    BertFolder() = default;

    BertConfig config_;
    std::string name_;
    Hash128 hash_;
    std::unique_ptr<WordPiece> word_piece_;
    std::unique_ptr<lm::SafetensorsFile> weights_;
    BertTensors tensors_;
};

}  // namespace mc::embedder
