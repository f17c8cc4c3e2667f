// SPDX-License-Identifier: Apache-2.0
// The trained weights that are part of the program: the files of models/, as bytes.
// Threads: free. Errors: none.
#pragma once

#include <cstddef>
#include <span>

namespace mc::gistnet {

// models/smollm2-135m-instruct/gistnet.safetensors.
std::span<const std::byte> shipped_gistnet();
// models/smollm2-135m-instruct/index.safetensors.
std::span<const std::byte> shipped_index();

}  // namespace mc::gistnet
