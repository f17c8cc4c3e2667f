// SPDX-License-Identifier: Apache-2.0
// A codec that is measured: what tables call it, and what codes with it.
// Ownership: owns its coder. Threads: const, free.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/codec/gist_coder.h"
#include "tree/gist_encoder.h"

namespace mc::eval {

struct NamedCodec {
    std::string name;
    std::unique_ptr<const storage::GistCoder> coder;
    std::optional<Hash128> codebook_hash;  // of pq
    std::optional<Hash128> encoder_hash;   // of pq: whose gists its codebook knows

    // Whether it is measured on the gists of an encoder.
    bool fits(const EncoderInfo& encoder) const {
        return !encoder_hash || *encoder_hash == encoder.hash;
    }
};

// settings as in DeltaNllOptions::codecs. Errors: kUsage for a codec that does not exist, and for a
// codebook that fits none of the encoders; those of storage/codec/codebook_file.h.
Result<std::vector<NamedCodec>> named_codecs(std::span<const std::string> settings,
                                             const GistShape& shape,
                                             std::span<const EncoderInfo> encoders);

}  // namespace mc::eval
