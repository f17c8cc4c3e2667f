// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/gist_coder.h"

#include "core/check.h"
#include "storage/codec/codebook_coder.h"

namespace mc::storage {

GistCoder::GistCoder(GistCodec codec, const GistShape& shape) : codec_(codec), shape_(shape) {}

GistCoder::~GistCoder() = default;

Result<std::unique_ptr<GistCoder>> GistCoder::make(GistCodec codec, const GistShape& shape,
                                                   const GistCodebook* codebook) {
    std::unique_ptr<GistCoder> coder(new GistCoder(codec, shape));
    if (codec != GistCodec::kPq) {
        coder->gist_bytes_ = encoded_gist_bytes(codec, shape);
        return coder;
    }
    if (codebook == nullptr) return fail(ErrorCode::kUsage, "codec pq needs a codebook");
    if (shape.layer_count != codebook->shape.layer_count ||
        shape.kv_head_count != codebook->shape.kv_head_count ||
        shape.head_dim != codebook->shape.head_dim)
        return fail(ErrorCode::kUsage, "the codebook is for gists of another base model");
    MC_TRY(check_codebook(*codebook));
    coder->gist_bytes_ = codebook->gist_bytes();
    coder->codebook_ = std::make_unique<CodebookCoder>(*codebook);
    return coder;
}

Result<void> GistCoder::encode(std::span<const std::uint16_t> kv, std::span<std::byte> out) const {
    if (codec_ != GistCodec::kPq) return encode_gist(codec_, shape_, kv, out);
    MC_CHECK(kv.size() == shape_.kv_count() && out.size() == gist_bytes_, "sizes that do not fit");
    return codebook_->encode(kv, out);
}

void GistCoder::decode(std::span<const std::byte> encoded, std::span<std::uint16_t> kv) const {
    if (codec_ != GistCodec::kPq) return decode_gist(codec_, shape_, encoded, kv);
    MC_CHECK(kv.size() == shape_.kv_count() && encoded.size() == gist_bytes_,
             "sizes that do not fit");
    codebook_->decode(encoded, kv);
}

}  // namespace mc::storage
