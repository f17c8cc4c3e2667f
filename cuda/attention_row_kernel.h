// SPDX-License-Identifier: Apache-2.0
// Attention of one query, for decoding: parts of the keys side by side, then their results joined.
//
// As attend_row() and join_attention() of lm/kernels/row_kernels.h. One query of a head keeps a
// device idle unless many blocks share its keys, so a block takes 256 of them. A thread scores a
// key for all heads of the group, then sums a share of the keys for one number of the head. Bound
// by memory: keys and values are read once (docs/cuda.md).
#pragma once

#include "cuda/attention.h"

namespace mc::cuda {

// What a part of the keys says, not yet divided by the sum. Letters as in attention.h; P parts.
struct PartialAttention {
    float* tops;    // (B, H, P, group)
    float* sums;    // as tops
    float* values;  // (B, H, P, group, D)
};

// Requires: in.steps 1.
struct AttendParts {
    static constexpr int kThreads = 256;
    static constexpr int kKeys = kThreads;
    static constexpr int kGroupMax = 16;

    Attention in;
    PartialAttention parts;
    std::int64_t key_count;  // the query's position + 1

    std::int64_t part_count() const { return divide_up(key_count, kKeys); }

    std::int64_t block_count() const { return in.batch * in.kv_heads * part_count(); }

    std::size_t shared_bytes() const {
        return shared_size<float>(in.group * in.head_dim) +
               2 * shared_size<float>(in.group * kThreads) + shared_size<float>(in.group);
    }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const Place place = place_of(block.index());
        float* queries = block.template share<float>(in.group * in.head_dim);
        float* weights = block.template share<float>(in.group * kThreads);  // (group, keys)
        float* scratch = block.template share<float>(in.group * kThreads);
        float* tops = block.template share<float>(in.group);
        block.each([&](int thread) {
            for (int i = thread; i < in.group * in.head_dim; i += kThreads)
                queries[i] = to_float(in.queries_of(place.text, place.kv_head, 0)[i]);
        });
        block.each([&](int thread) { score(place, thread, queries, weights, scratch); });
        reduce(block, scratch, [](float a, float b) { return a > b ? a : b; });
        block.each([&](int thread) {
            if (thread < in.group) tops[thread] = scratch[thread * kThreads];
        });
        block.each([&](int thread) {
            for (int h = 0; h < in.group; ++h) {
                float& weight = weights[h * kThreads + thread];
                weight = exponential(weight - tops[h]);
                scratch[h * kThreads + thread] = weight;
            }
        });
        reduce(block, scratch, [](float a, float b) { return a + b; });
        block.each([&](int thread) {
            if (thread >= in.group) return;
            parts.tops[block.index() * in.group + thread] = tops[thread];
            parts.sums[block.index() * in.group + thread] = scratch[thread * kThreads];
        });
        block.each([&](int thread) { sum_values(place, thread, weights, scratch); });
        block.each([&](int thread) { join_shares(block.index(), thread, scratch); });
    }

  private:
    struct Place {
        std::int64_t text;
        std::int64_t kv_head;
        std::int64_t first;  // key
        int count;
    };

    MC_DEVICE Place place_of(std::int64_t index) const {
        const std::int64_t count = divide_up(key_count, kKeys);
        const std::int64_t first = index % count * kKeys;
        const std::int64_t left = key_count - first;
        const std::int64_t head = index / count;
        return {head / in.kv_heads, head % in.kv_heads, first,
                left < kKeys ? static_cast<int>(left) : kKeys};
    }

    MC_DEVICE void score(const Place& place, int thread, const float* queries, float* scores,
                         float* tops) const {
        float products[kGroupMax] = {};
        if (thread < place.count) {
            const Bf16* key = in.keys + in.cache_offset(place.text, place.kv_head) +
                              (place.first + thread) * in.head_dim;
            for (int d = 0; d < in.head_dim; d += 8) {
                EightNumbers part;
                copy_eight(key + d, part.numbers);
                for (int h = 0; h < kGroupMax; ++h) {
                    if (h >= in.group) break;
                    for (int n = 0; n < 8; ++n)
                        products[h] += queries[h * in.head_dim + d + n] * to_float(part.numbers[n]);
                }
            }
        }
        for (int h = 0; h < kGroupMax; ++h) {
            if (h >= in.group) break;
            const float logit = thread < place.count
                                    ? products[h] * in.scale + in.mass_at(place.text, place.kv_head,
                                                                          place.first + thread)
                                    : -INFINITY;
            scores[h * kThreads + thread] = logit;
            tops[h * kThreads + thread] = logit > kLowest ? logit : kLowest;
        }
    }

    // numbers (group, kThreads): each row's first becomes what join makes of all.
    template <class Block, class Join>
    MC_DEVICE void reduce(Block& block, float* numbers, Join join) const {
        for (int half = kThreads / 2; half > 0; half /= 2)
            block.each([&](int thread) {
                if (thread >= half) return;
                for (int h = 0; h < in.group; ++h) {
                    float& to = numbers[h * kThreads + thread];
                    to = join(to, numbers[h * kThreads + thread + half]);
                }
            });
    }

    // sums (group, shares, D): thread share × D + d takes every shares-th key.
    MC_DEVICE void sum_values(const Place& place, int thread, const float* weights,
                              float* sums) const {
        const int shares = kThreads / in.head_dim;
        if (thread >= shares * in.head_dim) return;
        const Bf16* values = in.values + in.cache_offset(place.text, place.kv_head) +
                             place.first * in.head_dim + thread % in.head_dim;
        float totals[kGroupMax] = {};
        for (int key = thread / in.head_dim; key < place.count; key += shares) {
            const float value = to_float(values[std::int64_t{key} * in.head_dim]);
            for (int h = 0; h < kGroupMax; ++h) {
                if (h >= in.group) break;
                totals[h] += weights[h * kThreads + key] * value;
            }
        }
        for (int h = 0; h < kGroupMax; ++h) {
            if (h >= in.group) break;
            sums[h * kThreads + thread] = totals[h];
        }
    }

    MC_DEVICE void join_shares(std::int64_t index, int thread, const float* sums) const {
        const int shares = kThreads / in.head_dim;
        for (int i = thread; i < in.group * in.head_dim; i += kThreads) {
            const float* from = sums + i / in.head_dim * kThreads + i % in.head_dim;
            float total = 0;
            for (int share = 0; share < shares; ++share) total += from[share * in.head_dim];
            parts.values[index * in.group * in.head_dim + i] = total;
        }
    }
};

// The parts of every head's keys become its answer. A thread joins one number.
struct JoinParts {
    static constexpr int kThreads = 128;

    PartialAttention parts;
    Bf16* out;                // (B, Hq × D)
    std::int64_t groups;      // B × H
    std::int64_t part_count;  // P
    int group;
    int head_dim;

    std::int64_t block_count() const { return divide_up(groups * group * head_dim, kThreads); }

    std::size_t shared_bytes() const { return 0; }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        block.each([&](int thread) {
            const std::int64_t at = block.index() * kThreads + thread;
            if (at >= groups * group * head_dim) return;
            const std::int64_t d = at % head_dim;
            const std::int64_t head = at / head_dim % group;
            const std::int64_t first = at / head_dim / group * part_count * group + head;
            float top = kLowest;
            for (std::int64_t p = 0; p < part_count; ++p) {
                const float of_part = parts.tops[first + p * group];
                top = of_part > top ? of_part : top;
            }
            float total = 0;
            float value = 0;
            for (std::int64_t p = 0; p < part_count; ++p) {
                const std::int64_t part = first + p * group;
                const float share = exponential(parts.tops[part] - top);
                total += share * parts.sums[part];
                value += share * parts.values[part * head_dim + d];
            }
            out[at] = from_float<Bf16>(total > 0 ? value / total : 0.0F);
        });
    }
};

}  // namespace mc::cuda
