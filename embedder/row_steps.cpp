// SPDX-License-Identifier: Apache-2.0
#include "embedder/row_steps.h"

#include <cmath>

#include "lm/kernels/kernel_math.h"

namespace mc::embedder {
namespace {

// Abramowitz and Stegun 7.1.26 on |x|, within 1.5e-7, and the sign put back.
MC_INLINE float error_function(float x) {
    const float size = std::fabs(x);
    const float t = 1.0F / (1.0F + 0.3275911F * size);
    float series = 1.061405429F * t - 1.453152027F;
    series = series * t + 1.421413741F;
    series = series * t - 0.284496736F;
    series = series * t + 0.254829592F;
    return std::copysign(1.0F - series * t * lm::exp_approx(-size * size), x);
}

}  // namespace

MC_CLONES void add_rows(const float* a, const float* b, std::int64_t count, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

MC_CLONES void gelu(float* row, std::int64_t count) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i)
        row[i] = 0.5F * row[i] * (1.0F + error_function(row[i] * 0.707106781F));
}

MC_CLONES void normalize_row(float* row, const float* weight, const float* bias, std::int64_t count,
                             float epsilon) {
    const float width = static_cast<float>(count);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) sum += row[i];
    const float mean = sum / width;
    float square = 0;
#pragma omp simd reduction(+ : square)
    for (std::int64_t i = 0; i < count; ++i) square += (row[i] - mean) * (row[i] - mean);
    const float scale = 1.0F / std::sqrt(square / width + epsilon);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) row[i] = (row[i] - mean) * scale * weight[i] + bias[i];
}

}  // namespace mc::embedder
