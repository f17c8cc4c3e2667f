// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/store_codec.h"

#include <utility>

#include "core/check.h"
#include "storage/codec/codebook_file.h"

namespace mc::runtime {

using storage::GistCodec;

Result<StoreCodec> choose_codec(const Config& config, const EncoderInfo& encoder) {
    const bool is_auto = config.codec == "auto";
    if (is_auto && config.codebook == kOwnCodebook) {
        MC_ASSIGN(auto codebook, own_codebook_for(encoder));
        const GistCodec codec = codebook ? GistCodec::kPq : GistCodec::kInt8;
        return StoreCodec{codec, std::move(codebook)};
    }
    const auto codec = is_auto ? GistCodec::kPq : storage::codec_from_name(config.codec);
    MC_CHECK(codec, "the configuration admits only known codecs");
    if (*codec != GistCodec::kPq) return StoreCodec{*codec, std::nullopt};
    MC_ASSIGN(auto codebook, load_codebook(config.codebook));
    return StoreCodec{*codec, std::move(codebook)};
}

}  // namespace mc::runtime
