// SPDX-License-Identifier: Apache-2.0
// A model's weights as tensors on the device, decoded from its file.
//
// Query, key and value projections lie in one matrix, and so do gate and up: one matrix product in
// place of three and two. Query and key rows are put in llama's GGUF order (rotation pairs 2i,
// 2i+1), so that one rotation serves all; the scale that yarn puts on queries is in their weights.
// Errors: kInvalidInput naming the tensor that is missing, of another shape, undecodable or not
// part of the architecture.
#pragma once

#include <vector>

#include "lm/model/model_file.h"
#include "lm/torch/panel_ops.h"
#include "lm/torch/torch_fence.h"

namespace mc::lm {

struct LayerWeights {
    at::Tensor attention_norm;  // (W) f32
    at::Tensor qkv;             // ((Hq + 2 H) × D, W)
    at::Tensor qkv_bias;        // ((Hq + 2 H) × D), or undefined
    at::Tensor head_norms;      // (Hq + H, D) f32, of each query and key head, or undefined
    at::Tensor output;          // (W, Hq × D)
    at::Tensor ffn_norm;        // (W) f32
    at::Tensor gate_up;         // (2 × F, W)
    at::Tensor down;            // (W, F)
    LayerPanels panels;         // the same matrices once more, packed, where that is faster
};

struct ModelWeights {
    at::Tensor embeddings;  // (V, W)
    at::Tensor head;        // (V, W); the same tensor as embeddings when tied
    at::Tensor final_norm;  // (W) f32
    std::vector<LayerWeights> layers;
};

// Matrices in dtype, norms in f32.
Result<ModelWeights> load_weights(const ModelFile& file, std::uint32_t vocabulary_size,
                                  at::ScalarType dtype, at::Device device);

}  // namespace mc::lm
