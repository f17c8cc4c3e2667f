// SPDX-License-Identifier: Apache-2.0
// Gives a kernel to the device.
//
// In builds with MEGACONTEXT_CUDA alone; the same kernel runs on the CPU by run_on_cpu()
// (cpu_block.h). Every pointer of a kernel is to the device's memory. Which kernels there are: the
// launch_*.cu files. Allocates nothing. Errors: kUsage of check_limits(); kIo when the device
// refuses the launch. What goes wrong while it runs is told later (device.h).
#pragma once

#include "cuda/device.h"
#include "cuda/kernel_limits.h"

namespace mc::cuda {

// Returns once the stream has the kernel, before it ran.
template <class Kernel>
Result<void> launch(const Kernel& kernel, const DeviceStream& stream);

}  // namespace mc::cuda
