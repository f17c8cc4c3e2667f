// SPDX-License-Identifier: Apache-2.0
#include "lm/kernels/cpu_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/kernels/kernel_math.h"

namespace mc::lm {
namespace {

template <class T>
MC_INLINE void add_rms_norm(const NormRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t width = rows.width;
    for (std::int64_t n = begin; n < end; ++n) {
        float* residual = rows.residual + n * width;
        const float* weight = rows.weight;
        T* out = static_cast<T*>(rows.out) + n * width;
        if (rows.delta != nullptr) {
            const T* delta = static_cast<const T*>(rows.delta) + n * width;
#pragma omp simd
            for (std::int64_t i = 0; i < width; ++i) residual[i] += to_float(delta[i]);
        }
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (std::int64_t i = 0; i < width; ++i) squares += residual[i] * residual[i];
        const float scale = 1.0F / std::sqrt(squares / static_cast<float>(width) + rows.epsilon);
#pragma omp simd
        for (std::int64_t i = 0; i < width; ++i)
            out[i] = from_float<T>(residual[i] * scale * weight[i]);
    }
}

template <class T>
MC_INLINE void silu_mul(const SiluRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t width = rows.width;
    for (std::int64_t n = begin; n < end; ++n) {
        const T* gate = static_cast<const T*>(rows.gate_up) + n * 2 * width;
        const T* up = gate + width;
        T* out = static_cast<T*>(rows.out) + n * width;
#pragma omp simd
        for (std::int64_t i = 0; i < width; ++i) {
            const float x = to_float(gate[i]);
            out[i] = from_float<T>(x / (1.0F + exp_approx(-x)) * to_float(up[i]));
        }
    }
}

template <class T>
MC_INLINE void split_and_rotate(const SplitRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t dim = rows.head_dim;
    const std::int64_t pairs = dim / 2;
    for (std::int64_t n = begin; n < end; ++n) {
        const std::int64_t batch = n / rows.step_count;
        const std::int64_t step = n % rows.step_count;
        const std::int64_t position = rows.positions[step];
        const float* cosines = rows.cosines + position * pairs;
        const float* sines = rows.sines + position * pairs;
        const T* from =
            static_cast<const T*>(rows.qkv) + n * (rows.query_heads + 2 * rows.kv_heads) * dim;
        T* queries = static_cast<T*>(rows.queries) +
                     (batch * rows.query_heads * rows.step_count + step) * dim;
        for (std::int64_t h = 0; h < rows.query_heads; ++h, from += dim)
            rotate<false>(from, queries + h * rows.step_count * dim, cosines, sines, pairs);
        const std::int64_t place = batch * rows.cache_batch_stride + position * dim;
        T* keys = static_cast<T*>(rows.keys) + place;
        for (std::int64_t h = 0; h < rows.kv_heads; ++h, from += dim)
            rotate<false>(from, keys + h * rows.cache_head_stride, cosines, sines, pairs);
        T* values = static_cast<T*>(rows.values) + place;
        for (std::int64_t h = 0; h < rows.kv_heads; ++h, from += dim)
            std::copy_n(from, dim, values + h * rows.cache_head_stride);
    }
}

template <class T>
MC_INLINE void reduce_logits(const LogitRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t width = rows.width;
    for (std::int64_t n = begin; n < end; ++n) {
        const T* logits = static_cast<const T*>(rows.logits) + n * width;
        float top = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : top)
        for (std::int64_t i = 0; i < width; ++i) top = std::max(top, to_float(logits[i]));
        float sum = 0;
        float weighted = 0;  // Σ e^(x - top) (x - top)
#pragma omp simd reduction(+ : sum, weighted)
        for (std::int64_t i = 0; i < width; ++i) {
            const float x = to_float(logits[i]) - top;
            const float e = exp_approx(x);
            sum += e;
            weighted += e * x;
        }
        rows.log_sum_exp[n] = top + std::log(sum);
        if (rows.entropy != nullptr) rows.entropy[n] = std::log(sum) - weighted / sum;
    }
}

}  // namespace

MC_CLONES void add_rms_norm_f32(const NormRows& rows, std::int64_t begin, std::int64_t end) {
    add_rms_norm<float>(rows, begin, end);
}

MC_CLONES void add_rms_norm_bf16(const NormRows& rows, std::int64_t begin, std::int64_t end) {
    add_rms_norm<Bf16Bits>(rows, begin, end);
}

MC_CLONES void silu_mul_f32(const SiluRows& rows, std::int64_t begin, std::int64_t end) {
    silu_mul<float>(rows, begin, end);
}

MC_CLONES void silu_mul_bf16(const SiluRows& rows, std::int64_t begin, std::int64_t end) {
    silu_mul<Bf16Bits>(rows, begin, end);
}

MC_CLONES void split_and_rotate_f32(const SplitRows& rows, std::int64_t begin, std::int64_t end) {
    split_and_rotate<float>(rows, begin, end);
}

MC_CLONES void split_and_rotate_bf16(const SplitRows& rows, std::int64_t begin, std::int64_t end) {
    split_and_rotate<Bf16Bits>(rows, begin, end);
}

MC_CLONES void reduce_logits_f32(const LogitRows& rows, std::int64_t begin, std::int64_t end) {
    reduce_logits<float>(rows, begin, end);
}

MC_CLONES void reduce_logits_bf16(const LogitRows& rows, std::int64_t begin, std::int64_t end) {
    reduce_logits<Bf16Bits>(rows, begin, end);
}

MC_CLONES void row_products_bf16(const Bf16Bits* weights, const float* x, float* out,
                                 std::int64_t width, std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
        const Bf16Bits* row = weights + n * width;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = 0; i < width; ++i) sum += to_float(row[i]) * x[i];
        out[n] = sum;
    }
}

}  // namespace mc::lm
