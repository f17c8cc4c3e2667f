// SPDX-License-Identifier: Apache-2.0
#include "cuda/launch.cuh"

#define MC_LAUNCH_FORMAT(format)                                                         \
    template Result<void> launch(const Dequantize<format, float>&, const DeviceStream&); \
    template Result<void> launch(const Dequantize<format, Bf16>&, const DeviceStream&)

namespace mc::cuda {

MC_LAUNCH_FORMAT(F32);
MC_LAUNCH_FORMAT(F16);
MC_LAUNCH_FORMAT(B16);
MC_LAUNCH_FORMAT(Q4_0);
MC_LAUNCH_FORMAT(Q4_1);
MC_LAUNCH_FORMAT(Q5_0);
MC_LAUNCH_FORMAT(Q5_1);
MC_LAUNCH_FORMAT(Q8_0);
MC_LAUNCH_FORMAT(Q4_K);
MC_LAUNCH_FORMAT(Q5_K);
MC_LAUNCH_FORMAT(Q6_K);

}  // namespace mc::cuda
