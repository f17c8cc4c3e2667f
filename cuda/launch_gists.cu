// SPDX-License-Identifier: Apache-2.0
#include "cuda/launch.cuh"

namespace mc::cuda {

template Result<void> launch(const DecodeCodes&, const DeviceStream&);
// Of positions as the base model has them, and of children as gists keep them.
template Result<void> launch(const PoolBlocks<Bf16>&, const DeviceStream&);
template Result<void> launch(const PoolBlocks<float>&, const DeviceStream&);
template Result<void> launch(const PoolBlocks<Half>&, const DeviceStream&);
// Cached keys that move; gists that are placed.
template Result<void> launch(const RotateRows<Bf16, Bf16>&, const DeviceStream&);
template Result<void> launch(const RotateRows<float, float>&, const DeviceStream&);
template Result<void> launch(const RotateRows<Half, Bf16>&, const DeviceStream&);
template Result<void> launch(const RotateRows<Half, float>&, const DeviceStream&);

}  // namespace mc::cuda
