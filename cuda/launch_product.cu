// SPDX-License-Identifier: Apache-2.0
#include "cuda/launch.cuh"

namespace mc::cuda {

template Result<void> launch(const MultiplyRow<F32>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<F16>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<B16>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q4_0>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q4_1>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q5_0>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q5_1>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q8_0>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q4_K>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q5_K>&, const DeviceStream&);
template Result<void> launch(const MultiplyRow<Q6_K>&, const DeviceStream&);

}  // namespace mc::cuda
