// SPDX-License-Identifier: Apache-2.0
#include "embedder/text_attention.h"

#include <algorithm>
#include <cmath>

#include "embedder/lanes.h"

namespace mc::embedder {
namespace {

static_assert(kHeadLanes == kLanes);

struct HeadRows {
    const float* query;
    const float* key;
    const float* value;
    float* out;
    std::int64_t stride;      // from one token's query, key or value to the next
    std::int64_t out_stride;  // from one token's output to the next
    std::int64_t length;
    std::int64_t padded;  // length up to a multiple of kLanes
    std::int64_t dim;
    float scale;
};

// Keys by dimension, so that the scores of neighbouring keys lie side by side.
MC_INLINE void turn_keys(const HeadRows& head, float* keys) {
    for (std::int64_t d = 0; d < head.dim; ++d) {
        float* row = keys + d * head.padded;
        for (std::int64_t t = 0; t < head.length; ++t) row[t] = head.key[t * head.stride + d];
        for (std::int64_t t = head.length; t < head.padded; ++t) row[t] = 0;
    }
}

// scores: queries first, first + 1, … times every key.
template <int kBytes, int kCount>
MC_INLINE void score(const HeadRows& head, std::int64_t first, const float* keys, float* scores) {
    const float* query = head.query + first * head.stride;
    for (std::int64_t t = 0; t < head.padded; t += kLanes) {
        Lanes<kBytes> sum[kCount] = {};
        for (std::int64_t d = 0; d < head.dim; ++d) {
            Lanes<kBytes> key;
            key.load(keys + d * head.padded + t);
#pragma GCC unroll 6
            for (int q = 0; q < kCount; ++q) sum[q].add_product(query[q * head.stride + d], key);
        }
#pragma GCC unroll 6
        for (int q = 0; q < kCount; ++q) sum[q].store(scores + q * head.padded + t);
    }
}

// A score that weighs nothing.
constexpr float kNoScore = -1e30F;

// scores = e^(scale × (scores − top)); returns one over their sum. Loops end at whole registers, so
// that no remainder runs number by number: what lies beyond the last key weighs nothing.
MC_INLINE float soften(float* scores, const HeadRows& head) {
    for (std::int64_t t = head.length; t < head.padded; ++t) scores[t] = kNoScore;
    float top = kNoScore;
#pragma omp simd reduction(max : top)
    for (std::int64_t t = 0; t < head.padded; ++t) top = std::max(top, scores[t]);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t t = 0; t < head.padded; ++t) {
        scores[t] = lm::exp_approx((scores[t] - top) * head.scale);
        sum += scores[t];
    }
    return 1.0F / sum;
}

// Values weighed by the scores, times each query's share.
template <int kBytes, int kCount>
MC_INLINE void mix(const HeadRows& head, std::int64_t first, const float* scores,
                   const float* shares) {
    for (std::int64_t d = 0; d < head.dim; d += kLanes) {
        Lanes<kBytes> sum[kCount] = {};
        for (std::int64_t t = 0; t < head.length; ++t) {
            Lanes<kBytes> value;
            value.load(head.value + t * head.stride + d);
#pragma GCC unroll 6
            for (int q = 0; q < kCount; ++q) sum[q].add_product(scores[q * head.padded + t], value);
        }
#pragma GCC unroll 6
        for (int q = 0; q < kCount; ++q) {
            sum[q].scale(shares[q]);
            sum[q].store(head.out + (first + q) * head.out_stride + d);
        }
    }
}

template <int kBytes, int kCount>
MC_INLINE void attend_queries(const HeadRows& head, std::int64_t first, const float* keys,
                              float* scores) {
    score<kBytes, kCount>(head, first, keys, scores);
    float shares[kCount];
    for (int q = 0; q < kCount; ++q) shares[q] = soften(scores + q * head.padded, head);
    mix<kBytes, kCount>(head, first, scores, shares);
}

template <int kBytes>
MC_INLINE void attend_all(const HeadRows& head, float* keys, float* scores) {
    turn_keys(head, keys);
    std::int64_t first = 0;
    for (; first + kRowsAtOnce <= head.length; first += kRowsAtOnce)
        attend_queries<kBytes, kRowsAtOnce>(head, first, keys, scores);
    for (; first < head.length; ++first) attend_queries<kBytes, 1>(head, first, keys, scores);
}

#ifdef MC_HAS_CLONES
MC_V4 void attend_head_v4(const HeadRows& head, float* keys, float* scores) {
    attend_all<64>(head, keys, scores);
}

MC_V3 void attend_head_v3(const HeadRows& head, float* keys, float* scores) {
    attend_all<32>(head, keys, scores);
}
#endif

void attend_head(const HeadRows& head, float* keys, float* scores) {
#ifdef MC_HAS_CLONES
    static const Registers widest = widest_registers();
    if (widest == Registers::kAvx512) return attend_head_v4(head, keys, scores);
    if (widest == Registers::kAvx2) return attend_head_v3(head, keys, scores);
#endif
    attend_all<16>(head, keys, scores);
}

}  // namespace

void attend_text(const float* qkv, std::int64_t length, std::int64_t heads, std::int64_t head_dim,
                 AttentionRoom& room, float* out) {
    const std::int64_t width = heads * head_dim;
    const std::int64_t padded = (length + kLanes - 1) / kLanes * kLanes;
    room.keys.resize(static_cast<std::size_t>(head_dim * padded));
    room.scores.resize(static_cast<std::size_t>(kRowsAtOnce * padded));
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
    for (std::int64_t h = 0; h < heads; ++h) {
        const float* query = qkv + h * head_dim;
        attend_head({query, query + width, query + 2 * width, out + h * head_dim, 3 * width, width,
                     length, padded, head_dim, scale},
                    room.keys.data(), room.scores.data());
    }
}

}  // namespace mc::embedder
