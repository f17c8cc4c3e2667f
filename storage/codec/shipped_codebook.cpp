// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/shipped_codebook.h"

#include "core/embedded_file.h"

MC_EMBED(mc_codebook, MC_CODEBOOK);

namespace mc::runtime {

std::span<const std::byte> shipped_codebook() {
    return {mc_codebook_begin, mc_codebook_end};
}

}  // namespace mc::runtime
