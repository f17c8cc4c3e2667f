// SPDX-License-Identifier: Apache-2.0
// As gistnet's weights: inside the program it needs no place on disk to be found at.
#include "storage/codec/shipped_codebook.h"

asm(R"(
    .section .rodata
    .balign 16
mc_codebook_begin:
    .incbin ")" MC_CODEBOOK R"("
mc_codebook_end:
    .byte 0
    .previous
)");

extern "C" {
extern const std::byte mc_codebook_begin[];
extern const std::byte mc_codebook_end[];
}

namespace mc::runtime {

std::span<const std::byte> shipped_codebook() {
    return {mc_codebook_begin, mc_codebook_end};
}

}  // namespace mc::runtime
