// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/shipped_weights.h"

#include "core/embedded_file.h"

MC_EMBED(mc_gistnet_weights, MC_GISTNET_WEIGHTS);
MC_EMBED(mc_index_weights, MC_INDEX_WEIGHTS);

namespace mc::gistnet {

std::span<const std::byte> shipped_gistnet() {
    return {mc_gistnet_weights_begin, mc_gistnet_weights_end};
}

std::span<const std::byte> shipped_index() {
    return {mc_index_weights_begin, mc_index_weights_end};
}

}  // namespace mc::gistnet
