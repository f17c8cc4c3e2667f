// SPDX-License-Identifier: Apache-2.0
// AVX-512 helpers for the kernels that need AVX512_BF16, and how such functions are compiled.
//
// For the files of lm/kernels alone. Functions carry MC_AVX512 and are called only where
// has_panel_kernels() says so; the rest of the program stays on the baseline instruction set.
#pragma once

#include "lm/kernels/cpu_kernels.h"

#if defined(__x86_64__)
#define MC_HAS_AVX512_BF16 1
#else
#define MC_HAS_AVX512_BF16 0
#endif

#if MC_HAS_AVX512_BF16

#include <immintrin.h>

#define MC_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define MC_AVX512_INLINE MC_AVX512 inline __attribute__((always_inline))

namespace mc::lm {

MC_AVX512_INLINE __m512bh as_bf16(__m512i bits) {
    return reinterpret_cast<__m512bh>(bits);
}

MC_AVX512_INLINE __m512bh load_bf16(const Bf16Bits* from) {
    return as_bf16(_mm512_loadu_si512(from));
}

MC_AVX512_INLINE void store_bf16(Bf16Bits* to, __m512bh values) {
    _mm512_storeu_si512(to, reinterpret_cast<__m512i>(values));
}

MC_AVX512_INLINE void store_half_bf16(Bf16Bits* to, __m512 values) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(values)));
}

// 16 bf16 as floats.
MC_AVX512_INLINE __m512 load_half_bf16(const Bf16Bits* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// e^x, relative error below 3e-7 for x in [-87, 88]; 0 far below.
MC_AVX512_INLINE __m512 exponential(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-104.0F));
    x = _mm512_min_ps(x, _mm512_set1_ps(88.0F));
    const __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)),
                                          _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693359375F), x);
    r = _mm512_fnmadd_ps(k, _mm512_set1_ps(-2.12194440e-4F), r);
    __m512 p = _mm512_set1_ps(1.0F / 720.0F);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 120.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 24.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 6.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
    return _mm512_scalef_ps(p, k);
}

// 1 / x by the processor's estimate and one step of Newton's, relative error below 1e-7; a division
// takes four times as long. 0 for infinity.
MC_AVX512_INLINE __m512 reciprocal(__m512 x) {
    const __m512 estimate = _mm512_rcp14_ps(x);
    const __m512 error = _mm512_fnmadd_ps(x, estimate, _mm512_set1_ps(1.0F));
    return _mm512_fmadd_ps(estimate, error, estimate);
}

// x is finite, and e^88 the most that exponential() gives.
MC_AVX512_INLINE __m512 silu(__m512 x) {
    const __m512 e = exponential(_mm512_sub_ps(_mm512_setzero_ps(), x));
    return _mm512_mul_ps(x, reciprocal(_mm512_add_ps(e, _mm512_set1_ps(1.0F))));
}

}  // namespace mc::lm

#endif
