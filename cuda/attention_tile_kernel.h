// SPDX-License-Identifier: Apache-2.0
// Causal grouped-query attention of many queries: tiles of 64 rows against 64 keys at a time.
//
// As lm/kernels/attention_kernels.h: scores, a softmax whose top and sum are carried along in f32
// (Milakov and Gimelshein 2018; FlashAttention, Dao et al. 2022), products with the values. A row
// is one query of one head; the heads of a group share their keys, so a tile holds all of them for
// some steps. Both products run on the device's tensor cores (multiply_tile). A warp has 16 rows, a
// row two threads. Bound by computing (docs/cuda.md).
#pragma once

#include "cuda/attention.h"

namespace mc::cuda {

struct AttendTiles {
    static constexpr int kThreads = 128;
    static constexpr int kRows = 64;
    static constexpr int kKeys = 64;
    static constexpr int kHalf = kKeys / 2;  // keys of a row that one thread weighs
    // Rows lie apart by a little more than their length, so that columns are in different banks.
    static constexpr int kScoreStride = kKeys + 4;
    static constexpr int kWeightStride = kKeys + 8;

    Attention in;
    Bf16* out;  // (B × T, Hq × D)

    std::int64_t tiles() const { return divide_up(in.steps * in.group, kRows); }

    std::int64_t block_count() const { return in.batch * in.kv_heads * tiles(); }

    std::size_t shared_bytes() const {
        return shared_size<Bf16>(kRows * (in.head_dim + 8)) +
               2 * shared_size<Bf16>(kKeys * (in.head_dim + 8)) +
               shared_size<float>(kRows * kScoreStride) + shared_size<Bf16>(kRows * kWeightStride) +
               shared_size<float>(kRows * (in.head_dim + 4)) + shared_size<float>(2 * kRows) +
               shared_size<float>(kKeys);
    }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const Place place = place_of(block.index());
        const Memory memory = share(block);
        typename Block::template PerThread<Softmax> softmax(block);
        block.each([&](int thread) { load_queries(place, thread, memory); });
        for (std::int64_t key = 0; key < place.key_end; key += kKeys) {
            block.each([&](int thread) { load_keys(place, key, thread, memory); });
            block.each_warp([&](int warp) {
                block.template multiply_tile<true>(
                    {memory.queries + warp * kTileSize * memory.stride, memory.stride},
                    {memory.keys, memory.stride},
                    {memory.scores + warp * kTileSize * kScoreStride, kScoreStride, kKeys,
                     in.head_dim, false});
            });
            block.each([&](int thread) { find_top(place, key, thread, memory); });
            block.each([&](int thread) { weigh(thread, memory, softmax[thread]); });
            block.each_warp([&](int warp) {
                block.template multiply_tile<false>(
                    {memory.weights + warp * kTileSize * kWeightStride, kWeightStride},
                    {memory.values, memory.stride},
                    {memory.sums + warp * kTileSize * memory.sum_stride, memory.sum_stride,
                     in.head_dim, kKeys, true});
            });
        }
        block.each([&](int thread) { memory.halves[thread] = softmax[thread].sum; });
        block.each([&](int thread) { store(place, thread, memory); });
    }

  private:
    // What this block works on.
    struct Place {
        std::int64_t text;
        std::int64_t kv_head;
        std::int64_t first_row;
        int row_count;
        std::int64_t key_end;
    };

    struct Memory {
        Bf16* queries;
        Bf16* keys;
        Bf16* values;
        float* scores;
        Bf16* weights;
        float* sums;    // of weights times values
        float* halves;  // (kRows, 2): of each thread
        float* mass;    // (kKeys)
        int stride;
        int sum_stride;
    };

    // Both threads of a row have the same top, and each the sum of its own keys.
    struct Softmax {
        float top = kLowest;
        float sum = 0;
    };

    MC_DEVICE Place place_of(std::int64_t index) const {
        const std::int64_t all_rows = in.steps * in.group;
        const std::int64_t tile_count = divide_up(all_rows, kRows);
        // The last tiles see the most keys: first come those.
        const std::int64_t tile = tile_count - 1 - index % tile_count;
        const std::int64_t head = index / tile_count;
        const std::int64_t first = tile * kRows;
        const std::int64_t left = all_rows - first;
        const int count = left < kRows ? static_cast<int>(left) : kRows;
        return {head / in.kv_heads, head % in.kv_heads, first, count,
                in.positions[(first + count - 1) / in.group] + 1};
    }

    template <class Block>
    MC_DEVICE Memory share(Block& block) const {
        Memory memory;
        memory.stride = in.head_dim + 8;
        memory.sum_stride = in.head_dim + 4;
        memory.queries = block.template share<Bf16>(kRows * memory.stride);
        memory.keys = block.template share<Bf16>(kKeys * memory.stride);
        memory.values = block.template share<Bf16>(kKeys * memory.stride);
        memory.scores = block.template share<float>(kRows * kScoreStride);
        memory.weights = block.template share<Bf16>(kRows * kWeightStride);
        memory.sums = block.template share<float>(kRows * memory.sum_stride);
        memory.halves = block.template share<float>(2 * kRows);
        memory.mass = block.template share<float>(kKeys);
        return memory;
    }

    // Rows of zeros behind the last, and sums at 0.
    MC_DEVICE void load_queries(const Place& place, int thread, const Memory& memory) const {
        const int parts = in.head_dim / 8;
        for (int i = thread; i < kRows * parts; i += kThreads) {
            const int row = i / parts;
            const int d = i % parts * 8;
            Bf16* to = memory.queries + row * memory.stride + d;
            if (row < place.row_count) {
                const std::int64_t at = place.first_row + row;
                copy_eight(in.queries_of(place.text, place.kv_head, at % in.group) +
                               at / in.group * in.head_dim + d,
                           to);
            } else {
                for (int n = 0; n < 8; ++n) to[n] = Bf16{0};
            }
            for (int n = 0; n < 8; ++n) memory.sums[row * memory.sum_stride + d + n] = 0;
        }
    }

    // Zeros behind the last key: a weight of 0 must not meet a NaN there.
    MC_DEVICE void load_keys(const Place& place, std::int64_t first, int thread,
                             const Memory& memory) const {
        const int parts = in.head_dim / 8;
        const std::int64_t begin = in.cache_offset(place.text, place.kv_head);
        for (int i = thread; i < kKeys * parts; i += kThreads) {
            const std::int64_t key = first + i / parts;
            const int d = i % parts * 8;
            const int to = i / parts * memory.stride + d;
            if (key < place.key_end) {
                copy_eight(in.keys + begin + key * in.head_dim + d, memory.keys + to);
                copy_eight(in.values + begin + key * in.head_dim + d, memory.values + to);
            } else {
                for (int n = 0; n < 8; ++n) memory.keys[to + n] = memory.values[to + n] = Bf16{0};
            }
        }
        for (int i = thread; i < kKeys; i += kThreads)
            memory.mass[i] =
                first + i < place.key_end ? in.mass_at(place.text, place.kv_head, first + i) : 0.0F;
    }

    // The n-th of a thread's keys in the tile: neighbouring rows start apart, so that the threads
    // of a warp read 32 different banks.
    MC_DEVICE static int key_of(int thread, int n) {
        const int skew = thread / 2 + thread % 2 * 16;
        return thread % 2 * kHalf + (n + skew) % kHalf;
    }

    // Scores become logits with log-mass, minus infinity where the key is not seen.
    MC_DEVICE void find_top(const Place& place, std::int64_t first, int thread,
                            const Memory& memory) const {
        const int row = thread / 2;
        const std::int64_t position =
            row < place.row_count ? in.positions[(place.first_row + row) / in.group] : -1;
        float top = kLowest;
        for (int n = 0; n < kHalf; ++n) {
            const int key = key_of(thread, n);
            float& score = memory.scores[row * kScoreStride + key];
            score = first + key <= position ? score * in.scale + memory.mass[key] : -INFINITY;
            top = score > top ? score : top;
        }
        memory.halves[thread] = top;
    }

    // Logits become weights under the row's new top; what was summed under an earlier one shrinks.
    MC_DEVICE void weigh(int thread, const Memory& memory, Softmax& softmax) const {
        const int row = thread / 2;
        const float low = memory.halves[2 * row];
        const float high = memory.halves[2 * row + 1];
        const float found = low > high ? low : high;
        const float top = found > softmax.top ? found : softmax.top;
        const float shrink = exponential(softmax.top - top);
        softmax.top = top;
        softmax.sum *= shrink;
        for (int n = 0; n < kHalf; ++n) {
            const int key = key_of(thread, n);
            const float weight = exponential(memory.scores[row * kScoreStride + key] - top);
            softmax.sum += weight;
            memory.weights[row * kWeightStride + key] = from_float<Bf16>(weight);
        }
        if (shrink == 1.0F) return;
        float* sums = memory.sums + row * memory.sum_stride;
        for (int d = thread % 2; d < in.head_dim; d += 2) sums[d] *= shrink;
    }

    MC_DEVICE void store(const Place& place, int thread, const Memory& memory) const {
        for (int i = thread; i < place.row_count * in.head_dim; i += kThreads) {
            const int row = i / in.head_dim;
            const int d = i % in.head_dim;
            const std::int64_t at = place.first_row + row;
            const float total = memory.halves[2 * row] + memory.halves[2 * row + 1];
            const float value = memory.sums[row * memory.sum_stride + d];
            const std::int64_t to =
                ((place.text * in.steps + at / in.group) * in.kv_heads + place.kv_head) * in.group +
                at % in.group;
            out[to * in.head_dim + d] = from_float<Bf16>(total > 0 ? value / total : 0.0F);
        }
    }
};

}  // namespace mc::cuda
