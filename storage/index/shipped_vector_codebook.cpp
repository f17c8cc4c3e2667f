// SPDX-License-Identifier: Apache-2.0
// As gistnet's weights: inside the program it needs no place on disk to be found at.
#include "storage/index/shipped_vector_codebook.h"

asm(R"(
    .section .rodata
    .balign 16
mc_vector_codebook_begin:
    .incbin ")" MC_VECTOR_CODEBOOK R"("
mc_vector_codebook_end:
    .byte 0
    .previous
)");

extern "C" {
extern const std::byte mc_vector_codebook_begin[];
extern const std::byte mc_vector_codebook_end[];
}

namespace mc::storage {

std::span<const std::byte> shipped_vector_codebook() {
    return {mc_vector_codebook_begin, mc_vector_codebook_end};
}

}  // namespace mc::storage
