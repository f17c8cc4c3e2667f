// SPDX-License-Identifier: Apache-2.0
// The trained lens that is part of the program: a file of models/, as bytes.
// Threads: free. Errors: none.
#pragma once

#include <cstddef>
#include <span>

namespace mc::lensnet {

// models/smollm2-135m-instruct/lensnet.safetensors.
std::span<const std::byte> shipped_lens();

}  // namespace mc::lensnet
