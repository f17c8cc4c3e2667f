// SPDX-License-Identifier: Apache-2.0
#include "cuda/launch.cuh"

namespace mc::cuda {

template Result<void> launch(const AttendTiles&, const DeviceStream&);
template Result<void> launch(const AttendParts&, const DeviceStream&);
template Result<void> launch(const JoinParts&, const DeviceStream&);

}  // namespace mc::cuda
