// SPDX-License-Identifier: Apache-2.0
// The steps of an encoder that work on one row of f32 numbers: sums, GELU, norms.
//
// Vectorised for AVX-512, AVX2 and the baseline, chosen when the program loads. Pure functions;
// an output may be an input.
#pragma once

#include <cstdint>

namespace mc::embedder {

// out = a + b.
void add_rows(const float* a, const float* b, std::int64_t count, float* out);

// row = row × Φ(row), with the error function: within 1e-6 of it.
void gelu(float* row, std::int64_t count);

// row = (row − mean) / √(variance + epsilon) × weight + bias.
void normalize_row(float* row, const float* weight, const float* bias, std::int64_t count,
                   float epsilon);

}  // namespace mc::embedder
