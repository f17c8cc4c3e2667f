// SPDX-License-Identifier: Apache-2.0
// The weights are a few megabytes: inside the program they need no place on disk to be found at.
#include "gistnet/pooling/shipped_weights.h"

asm(R"(
    .section .rodata
    .balign 16
mc_gistnet_weights_begin:
    .incbin ")" MC_GISTNET_WEIGHTS R"("
mc_gistnet_weights_end:
    .byte 0
    .balign 16
mc_index_weights_begin:
    .incbin ")" MC_INDEX_WEIGHTS R"("
mc_index_weights_end:
    .byte 0
    .previous
)");

extern "C" {
extern const std::byte mc_gistnet_weights_begin[];
extern const std::byte mc_gistnet_weights_end[];
extern const std::byte mc_index_weights_begin[];
extern const std::byte mc_index_weights_end[];
}

namespace mc::gistnet {

std::span<const std::byte> shipped_gistnet() {
    return {mc_gistnet_weights_begin, mc_gistnet_weights_end};
}

std::span<const std::byte> shipped_index() {
    return {mc_index_weights_begin, mc_index_weights_end};
}

}  // namespace mc::gistnet
