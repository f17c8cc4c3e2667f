// SPDX-License-Identifier: Apache-2.0
// Tensors as bytes that another rank of the same program reads: what a part of a step came to.
//
// f32, f64 and int64 on the CPU, contiguous. Errors: kCorruption for bytes that are no such
// tensors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "lm/torch/torch_fence.h"

namespace mc::gistnet {

std::string to_bytes(const std::vector<at::Tensor>& tensors);

// count of them, and nothing else.
Result<std::vector<at::Tensor>> tensors_from(std::string_view bytes, std::size_t count);

}  // namespace mc::gistnet
