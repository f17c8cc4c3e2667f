// SPDX-License-Identifier: Apache-2.0
// Named tensors ↔ a safetensors file.
//
// Errors: those of formats/safetensors.h; kInvalidInput naming a tensor that is missing, of another
// shape, or not of a floating-point type.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "formats/safetensors.h"
#include "lm/torch/torch_fence.h"

namespace mc::gistnet {

struct NamedTensor {
    std::string name;
    at::Tensor tensor;  // F32, F16 or BF16
};

Result<void> write_tensors(const Path& path, const std::vector<NamedTensor>& tensors,
                           const lm::SafetensorsMetadata& metadata);

// A copy in f32 on the CPU.
Result<at::Tensor> read_tensor(const lm::SafetensorsFile& file, const std::string& name,
                               at::IntArrayRef shape);

}  // namespace mc::gistnet
