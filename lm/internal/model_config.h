// SPDX-License-Identifier: Apache-2.0
// Reads a llama-architecture model's sizes from GGUF metadata. Knows nothing of libtorch.
// Errors: kInvalidInput naming the key that is missing, unsupported or beyond its limit.
#pragma once

#include "core/result.h"
#include "lm/base_model.h"
#include "lm/gguf.h"

namespace mc::lm {

Result<ModelConfig> read_model_config(const GgufFile& file);

}  // namespace mc::lm
