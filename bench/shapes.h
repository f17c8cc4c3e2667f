// SPDX-License-Identifier: Apache-2.0
// The sizes of the default model (SmolLM2-135M), in which kernels are measured.
#pragma once

#include <cstdint>

namespace mc::bench {

constexpr std::int64_t kWidth = 576;
constexpr std::int64_t kQueryHeads = 9;
constexpr std::int64_t kKvHeads = 3;
constexpr std::int64_t kHeadDim = 64;
constexpr std::int64_t kProjected = (kQueryHeads + 2 * kKvHeads) * kHeadDim;
constexpr std::int64_t kFfn = 1536;

}  // namespace mc::bench
