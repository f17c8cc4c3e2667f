// SPDX-License-Identifier: Apache-2.0
// What launch() does, for .cu files, each of which names the kernels that it compiles.
#pragma once

#include "cuda/device_block.cuh"
#include "cuda/launch.h"

namespace mc::cuda {

template <class Kernel>
Result<void> launch(const Kernel& kernel, const DeviceStream& stream) {
    constexpr std::size_t kSharedBytesUnasked = 48 << 10;  // more must be asked for
    MC_TRY(check_limits(kernel));
    if (kernel.block_count() == 0) return {};
    const std::size_t shared_bytes = kernel.shared_bytes();
    if (shared_bytes > kSharedBytesUnasked)
        MC_TRY(device_result(
            cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(shared_bytes)),
            "asking for shared memory"));
    run_kernel<Kernel><<<static_cast<unsigned>(kernel.block_count()), Kernel::kThreads,
                         shared_bytes, stream.native()>>>(kernel);
    return device_result(cudaGetLastError(), "launching a kernel");
}

}  // namespace mc::cuda
