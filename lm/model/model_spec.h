// SPDX-License-Identifier: Apache-2.0
// Reads what a model of the llama family is from GGUF metadata or from config.json: sizes, and
// where llama, qwen2 and qwen3 differ. Knows nothing of libtorch.
// Errors: kInvalidInput naming the field that is missing, unsupported or beyond its limit.
#pragma once

#include "core/result.h"
#include "formats/gguf.h"
#include "formats/model_folder.h"
#include "lm/model/model_config.h"
#include "lm/model/rope_scaling.h"

namespace mc::lm {

struct ModelSpec {
    ModelConfig config;  // vocabulary_size and parameter_count only where the reader knows them
    RopeScaling rope;
    // The file's query and key rows rotate in pairs (i, i + D / 2), not (2i, 2i + 1).
    bool has_half_split_heads = false;
    bool has_qkv_bias = false;
    bool has_head_norms = false;  // RMS norms of each query and key head
    bool is_tied = false;         // the head is the embedding matrix
};

Result<ModelSpec> read_model_spec(const GgufFile& file);
Result<ModelSpec> read_model_spec(const ModelFolder& folder);

// What both readers check. Far above any published model; the limits keep products of sizes from
// overflowing.
inline constexpr std::uint64_t kLayersMax = 1024;
inline constexpr std::uint64_t kHeadsMax = 1024;
inline constexpr std::uint64_t kWidthMax = 1U << 20;
inline constexpr std::uint64_t kContextMax = 1U << 24;

}  // namespace mc::lm
