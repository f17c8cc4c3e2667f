// SPDX-License-Identifier: Apache-2.0
// The forward pass of a BERT encoder: the token ids of some texts to one vector each.
//
// Texts lie one after the other, without padding: only attention knows where one ends. Post-norm
// layers, absolute positions, erf GELU, mean over a text's tokens, unit length. Ownership: owns
// packed copies of the weights and borrows the table of words, which must outlive it. Threads:
// const, free; one thread a call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "embedder/bert_folder.h"
#include "embedder/products.h"
#include "embedder/text_attention.h"

namespace mc::embedder {

// What a forward pass writes meanwhile; calls after each other share one, so that memory is asked
// for once.
struct EncoderRoom {
    std::vector<float> rows;        // (tokens, hidden)
    std::vector<Element> elements;  // (tokens, hidden)
    std::vector<float> qkv;         // (tokens, 3 × hidden)
    std::vector<Element> inner;     // (tokens, ffn)
    AttentionRoom attention;
};

class BertEncoder {
  public:
    // Packs copies of the weights; the table of words is read where it lies.
    BertEncoder(const BertConfig& config, const BertTensors& tensors, NumberFormat format);

    // texts: ids of each, none empty, none longer than the model's positions, every id below its
    // vocabulary's size. out[i]: room for text i's hidden_dim numbers. False when a vector is not
    // finite, as damaged weights make them.
    bool embed(std::span<const std::vector<std::int32_t>* const> texts, EncoderRoom& room,
               std::span<float* const> out) const;

  private:
    struct Norm {
        std::vector<float> weight, bias;
    };

    struct Layer {
        PackedLinear qkv;  // query, key and value rows below each other
        PackedLinear attention_output;
        Norm attention_norm;
        PackedLinear ffn_in;
        PackedLinear ffn_out;
        Norm ffn_norm;
    };

    static Norm norm_of(const BertNorm& norm);
    Layer layer_of(const BertLayer& layer) const;
    void read_tokens(const std::vector<std::int32_t>& ids, float* rows) const;
    void normalize(const Norm& norm, EncoderRoom& room) const;
    void run_layer(const Layer& layer, std::span<const std::vector<std::int32_t>* const> texts,
                   EncoderRoom& room) const;

    BertConfig config_;
    NumberFormat format_;
    TensorBytes words_;             // (vocabulary, hidden)
    std::vector<float> positions_;  // (positions, hidden), the first type's vector added
    Norm norm_;
    std::vector<Layer> layers_;
};

}  // namespace mc::embedder
