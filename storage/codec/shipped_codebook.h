// SPDX-License-Identifier: Apache-2.0
// The codebook that is part of the program: a file of models/, as bytes.
// Threads: free. Errors: none.
#pragma once

#include <cstddef>
#include <span>

namespace mc::runtime {

// models/smollm2-135m-instruct/codebooks.safetensors.
std::span<const std::byte> shipped_codebook();

}  // namespace mc::runtime
