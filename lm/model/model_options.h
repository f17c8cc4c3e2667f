// SPDX-License-Identifier: Apache-2.0
// Which model to open, and where and how it is to compute. Value type.
#pragma once

#include "core/files.h"

namespace mc::lm {

enum class Device { kCpu, kCuda };
// kAuto: bf16 where the processor (AVX512_BF16 or AMX) or the GPU has it, else f32.
enum class Dtype { kAuto, kF32, kBf16 };

struct ModelOptions {
    Path path;
    Device device = Device::kCpu;
    Dtype dtype = Dtype::kAuto;
    int thread_count = 0;  // 0: one per core
};

}  // namespace mc::lm
