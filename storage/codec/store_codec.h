// SPDX-License-Identifier: Apache-2.0
// How a new store writes its gists: what the settings codec and codebook come to for an encoder.
//
// The codec auto is the smallest one that keeps 98 % of fp16's Rs@64 (models/*/README.md): pq
// where there is a codebook of the encoder's gists, else int8, which needs none.
// Value type. Threads: free. Errors: those of storage/codec/codebook_file.h. Whether a codebook
// that was asked for fits the encoder, the store says that is made with it.
#pragma once

#include <optional>

#include "core/config.h"
#include "core/result.h"
#include "storage/codec/gist_codebook.h"
#include "storage/codec/gist_codec.h"
#include "tree/gist_encoder.h"

namespace mc::runtime {

struct StoreCodec {
    storage::GistCodec codec = storage::GistCodec::kFp16;
    std::optional<storage::GistCodebook> codebook;  // of pq
};

// A codebook file that the configuration names was asked for: auto takes it as pq would.
Result<StoreCodec> choose_codec(const Config& config, const EncoderInfo& encoder);

}  // namespace mc::runtime
