// SPDX-License-Identifier: Apache-2.0
#include "lensnet/shipped_lens.h"

#include "core/embedded_file.h"

MC_EMBED(mc_lensnet_weights, MC_LENSNET_WEIGHTS);

namespace mc::lensnet {

std::span<const std::byte> shipped_lens() {
    return {mc_lensnet_weights_begin, mc_lensnet_weights_end};
}

}  // namespace mc::lensnet
