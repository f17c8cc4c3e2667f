// SPDX-License-Identifier: Apache-2.0
// The codebook of sentence vectors that is part of the program: a file of models/, as bytes.
// Threads: free. Errors: none.
#pragma once

#include <cstddef>
#include <span>

namespace mc::storage {

// models/all-minilm-l6-v2/vector_codebook.safetensors.
std::span<const std::byte> shipped_vector_codebook();

}  // namespace mc::storage
