// SPDX-License-Identifier: Apache-2.0
// The sizes of a language model, as its file gives them. Value type.
#pragma once

#include <cstdint>
#include <string>

#include "tree/gist.h"

namespace mc::lm {

struct ModelConfig {
    std::string architecture;
    std::string name;
    std::uint32_t layer_count = 0;
    std::uint32_t hidden_dim = 0;
    std::uint32_t head_count = 0;
    std::uint32_t kv_head_count = 0;
    std::uint32_t head_dim = 0;
    std::uint32_t ffn_dim = 0;
    std::uint32_t vocabulary_size = 0;
    std::uint32_t context_length = 0;
    double rope_base = 0;
    double norm_epsilon = 0;

    std::uint64_t parameter_count = 0;

    // Shape of this model's gists; index_dim is the encoder's to fill.
    GistShape gist_shape() const { return {layer_count, kv_head_count, head_dim, 0}; }
};

}  // namespace mc::lm
