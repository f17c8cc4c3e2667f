// SPDX-License-Identifier: Apache-2.0
// Codebooks of random numbers for tests of what codes with them.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "storage/codec/gist_codebook.h"
#include "tree/gist_encoder.h"

namespace mc::storage {

inline std::vector<float> random_numbers(Rng& rng, std::size_t count) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < count; ++i)
        numbers.push_back(static_cast<float>(rng.uniform() * 2 - 1));
    return numbers;
}

// Orthonormal rows (Gram-Schmidt). Requires: rows <= width.
inline std::vector<float> random_rows(Rng& rng, std::size_t rows, std::size_t width) {
    std::vector<float> all = random_numbers(rng, rows * width);
    for (std::size_t r = 0; r < rows; ++r) {
        float* row = &all[r * width];
        for (std::size_t before = 0; before < r; ++before) {
            float along = 0;
            for (std::size_t i = 0; i < width; ++i) along += row[i] * all[before * width + i];
            for (std::size_t i = 0; i < width; ++i) row[i] -= along * all[before * width + i];
        }
        float length = 0;
        for (std::size_t i = 0; i < width; ++i) length += row[i] * row[i];
        for (std::size_t i = 0; i < width; ++i) row[i] /= std::sqrt(length);
    }
    return all;
}

// Two shared dimensions a byte; heads of 2 bytes and of 1 by turns.
inline GistCodebook random_codebook(const EncoderInfo& encoder, std::uint32_t shared_bytes,
                                    std::uint64_t seed = 1) {
    Rng rng(seed);
    GistCodebook book;
    book.shape = encoder.shape;
    book.hash = {seed, 99};
    book.base_model_hash = {1, 2};
    book.encoder_hash = encoder.hash;
    book.encoder_name = encoder.name;
    book.shared_bytes = shared_bytes;
    book.shared_dims = 2 * shared_bytes;
    const std::size_t width = book.shape.kv_count();
    const std::size_t dim = book.shape.head_dim;
    book.centre = random_numbers(rng, width);
    for (const float number : random_numbers(rng, width)) book.scale.push_back(1 + number / 2);
    book.shared_basis = random_rows(rng, book.shared_dims, width);
    book.shared_centroids = random_numbers(rng, std::size_t{book.shared_dims} * kCentroids);
    for (std::uint64_t head = 0; head < book.head_count(); ++head) {
        book.head_bytes.push_back(head % 2 == 0 ? 2 : 1);
        const std::vector<float> rotation = random_rows(rng, dim, dim);
        book.rotations.insert(book.rotations.end(), rotation.begin(), rotation.end());
    }
    book.head_centroids = random_numbers(rng, width * kCentroids);
    return book;
}

}  // namespace mc::storage
