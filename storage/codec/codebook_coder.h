// SPDX-License-Identifier: Apache-2.0
// A codebook as FAISS computes with it. The steps and their source: storage/codec/gist_codebook.h.
//
// Besides gists it takes what the trainer has: numbers that are scaled already, in two stages.
// Ownership: copies the codebook. Threads: const, free. Errors: kModel from encode.
#pragma once

#include <faiss/VectorTransform.h>
#include <faiss/impl/ProductQuantizer.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "storage/codec/gist_codebook.h"

namespace mc::storage {

// A product quantizer over the rows of a linear map. rows and centroids as in GistCodebook.
struct MappedQuantizer {
    faiss::LinearTransform map;
    faiss::ProductQuantizer quantizer;

    MappedQuantizer(std::uint64_t width, std::uint64_t dims, std::uint64_t bytes);

    // Codes of x (map.d_in); residual, if given, is x without what the codes say of it.
    void encode(const float* x, std::uint8_t* codes, float* residual) const;
    // Adds what the codes say to x.
    void add_decoded(const std::uint8_t* codes, float* x) const;
};

class CodebookCoder {
  public:
    // Requires: a sound codebook.
    explicit CodebookCoder(const GistCodebook& codebook);

    Result<void> encode(std::span<const std::uint16_t> kv, std::span<std::byte> out) const;
    void decode(std::span<const std::byte> encoded, std::span<std::uint16_t> kv) const;

  private:
    std::size_t head_dim_;
    std::vector<float> centre_;
    std::vector<float> scale_;
    std::optional<MappedQuantizer> shared_;
    std::vector<MappedQuantizer> heads_;
};

}  // namespace mc::storage
