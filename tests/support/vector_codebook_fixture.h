// SPDX-License-Identifier: Apache-2.0
// Codebooks of random numbers for tests of what codes vectors with them, and their files.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "formats/half_float.h"
#include "formats/safetensors.h"
#include "storage/index/vector_codebook.h"

namespace mc::storage {

inline VectorCodebook random_vector_codebook(const TextEmbedderInfo& embedder,
                                             std::uint32_t code_bytes, std::uint64_t seed = 1) {
    Rng rng(seed);
    VectorCodebook book{{seed, 99}, embedder.name, embedder.hash, embedder.dim, code_bytes, {}};
    for (std::size_t i = 0; i < std::size_t{256} * embedder.dim; ++i)
        book.centroids.push_back(half_to_float(float_to_half(
            static_cast<float>(rng.uniform() - 0.5) * 4 / static_cast<float>(embedder.dim))));
    return book;
}

// The file's bytes, by way of a file.
inline std::string vector_codebook_file(const VectorCodebook& book, const Path& path) {
    std::vector<std::uint16_t> halves;
    for (const float x : book.centroids) halves.push_back(float_to_half(x));
    const std::vector<lm::SafetensorsTensor> tensors = {
        {"centroids",
         lm::SafetensorsDtype::kF16,
         {book.code_bytes, 256, book.dim / book.code_bytes},
         std::as_bytes(std::span(halves))}};
    const auto written = lm::write_safetensors(path, tensors,
                                               {{"format", "megacontext-vector-codebook-1"},
                                                {"embedder_name", book.embedder_name},
                                                {"embedder_hash", to_hex(book.embedder_hash)}});
    const auto bytes = read_file(path, 1 << 26);
    std::filesystem::remove(path);
    return written && bytes ? *bytes : std::string();
}

}  // namespace mc::storage
