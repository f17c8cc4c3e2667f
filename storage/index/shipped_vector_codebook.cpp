// SPDX-License-Identifier: Apache-2.0
#include "storage/index/shipped_vector_codebook.h"

#include "core/embedded_file.h"

MC_EMBED(mc_vector_codebook, MC_VECTOR_CODEBOOK);

namespace mc::storage {

std::span<const std::byte> shipped_vector_codebook() {
    return {mc_vector_codebook_begin, mc_vector_codebook_end};
}

}  // namespace mc::storage
