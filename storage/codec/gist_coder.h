// SPDX-License-Identifier: Apache-2.0
// A codec with all that it needs: gists of one shape to bytes of one size and back.
//
// For fp16, int8 and int4 it is a name for the functions of storage/codec/gist_codec.h; for pq it
// holds a codebook in the form that FAISS computes with. Ownership: keeps nothing of its arguments.
// Threads: const, free. Errors: kUsage from make; kModel from encode for a number that a codec
// cannot keep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/result.h"
#include "storage/codec/gist_codebook.h"
#include "storage/codec/gist_codec.h"

namespace mc::storage {

class CodebookCoder;  // storage/codec/codebook_coder.h

class GistCoder {
  public:
    // codebook: null where the codec needs none. Errors: kUsage for pq without one, or with one of
    // another shape; kInvalidInput for a codebook that is not sound.
    static Result<std::unique_ptr<GistCoder>> make(GistCodec codec, const GistShape& shape,
                                                   const GistCodebook* codebook);
    ~GistCoder();
    GistCoder(const GistCoder&) = delete;
    GistCoder& operator=(const GistCoder&) = delete;

    GistCodec codec() const { return codec_; }

    // Of one encoded gist.
    std::uint64_t gist_bytes() const { return gist_bytes_; }

    // Requires, for both: kv.size() is the shape's, and the other's size is gist_bytes().
    Result<void> encode(std::span<const std::uint16_t> kv, std::span<std::byte> out) const;
    // Any bytes decode to some numbers.
    void decode(std::span<const std::byte> encoded, std::span<std::uint16_t> kv) const;

  private:
    GistCoder(GistCodec codec, const GistShape& shape);

    GistCodec codec_;
    GistShape shape_;
    std::uint64_t gist_bytes_ = 0;
    std::unique_ptr<CodebookCoder> codebook_;  // of pq
};

}  // namespace mc::storage
