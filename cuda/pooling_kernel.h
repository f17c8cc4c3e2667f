// SPDX-License-Identifier: Apache-2.0
// Attention pooling of 32 positions or children to a gist: the compressor's forward pass.
//
// The formula and the parameters: gistnet/pooling/attention_pooler.h. A block of threads pools one
// gist of one layer and KV head. Letters as there: L layers, H KV heads, J pooling queries, K = 32
// positions or children, D head width.
#pragma once

#include "cuda/numbers.h"

namespace mc::cuda {

inline constexpr int kSlots = 32;  // K, the block size of the tree

// f32, row-major, as LevelParameters; of a level without log-mass the last two are null.
struct PoolingParameters {
    const float* queries;    // (L, H, J, 2 × H × D): all heads' keys, then all heads' values
    const float* biases;     // (L, H, J, K)
    const float* key_map;    // (L, H, J × D, D)
    const float* value_map;  // as key_map
    const float* mass_bias;  // (L, H)
    const float* mass_map;   // (L, H, 2 × J × D)
};

// Where keys and values of gist n, layer l, head h and slot t begin: D numbers side by side.
// n counts blocks_per_text blocks of a text before it comes to the next.
struct SlotStrides {
    std::int64_t text;
    std::int64_t block;
    std::int64_t layer;
    std::int64_t head;
    std::int64_t slot;
    std::int64_t blocks_per_text;
};

template <class From>
struct PoolBlocks {
    static constexpr int kThreads = 128;
    static constexpr int kPairsMax = 4;  // scores a thread keeps
    static constexpr int kQueriesMax = kPairsMax * kThreads / kSlots;
    static constexpr float kLogMassMin = -8;
    static constexpr float kLogMassMax = 6;
    static constexpr int kSlotStride = kSlots + 1;  // so that columns lie in different banks

    PoolingParameters parameters;
    SlotStrides strides;
    const From* keys;  // before rotation
    const From* values;
    float* out_keys;    // (gists, L, H, D)
    float* out_values;  // as out_keys
    float* out_mass;    // (gists, L, H), nats; null where the level has none
    std::int64_t gists;
    int layers;
    int heads;
    int queries;  // J, at most kQueriesMax
    int head_dim;

    std::int64_t block_count() const { return gists * layers * heads; }

    std::size_t shared_bytes() const {
        return shared_size<float>(kSlots * kSlotStride) + shared_size<float>(queries * kSlots) +
               shared_size<float>(2 * queries * head_dim) + shared_size<float>(4 * kThreads);
    }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const int plane = static_cast<int>(block.index() % (layers * heads));  // l × H + h
        const std::int64_t gist = block.index() / (layers * heads);
        const std::int64_t origin = gist / strides.blocks_per_text * strides.text +
                                    gist % strides.blocks_per_text * strides.block +
                                    plane / heads * strides.layer;
        float* weights = block.template share<float>(queries * kSlots);
        float* pooled = block.template share<float>(2 * queries * head_dim);
        score(block, origin, plane, weights);
        block.each([&](int thread) { soften(thread, weights); });
        block.each([&](int thread) {
            gather(origin + plane % heads * strides.head, thread, weights, pooled);
        });
        block.each([&](int thread) { map_out(gist, plane, thread, pooled); });
        if (out_mass != nullptr) weigh(block, gist, plane, pooled);
    }

  private:
    // scores (J, K): q · x / √D + b. x is read 32 channels at a time, all threads together.
    template <class Block>
    MC_DEVICE void score(Block& block, std::int64_t origin, int plane, float* scores) const {
        struct Sums {
            float of_pair[kPairsMax] = {};
        };

        typename Block::template PerThread<Sums> sums(block);
        float* chunk = block.template share<float>(kSlots * kSlotStride);  // (channel, slot)
        const int width = 2 * heads * head_dim;
        for (int from = 0; from < width; from += kSlots) {
            const int count = width - from < kSlots ? width - from : kSlots;
            block.each([&](int thread) {
                for (int i = thread; i < count * kSlots; i += kThreads)
                    chunk[i % count * kSlotStride + i / count] =
                        channel(origin, from + i % count, i / count);
            });
            block.each([&](int thread) {
                const float* mine =
                    parameters.queries + std::int64_t{plane} * queries * width + from;
                for (int k = 0; k < kPairsMax; ++k) {
                    const int pair = k * kThreads + thread;
                    if (pair >= queries * kSlots) break;
                    for (int c = 0; c < count; ++c)
                        sums[thread].of_pair[k] += mine[pair / kSlots * width + c] *
                                                   chunk[c * kSlotStride + pair % kSlots];
                }
            });
        }
        const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
        block.each([&](int thread) {
            for (int k = 0; k < kPairsMax; ++k) {
                const int pair = k * kThreads + thread;
                if (pair >= queries * kSlots) break;
                scores[pair] = sums[thread].of_pair[k] * scale +
                               parameters.biases[plane * queries * kSlots + pair];
            }
        });
    }

    // What all heads of a layer have at a slot, keys before values.
    MC_DEVICE float channel(std::int64_t origin, int at, int slot) const {
        const int side = heads * head_dim;
        const From* part = at < side ? keys : values;
        return to_float(part[origin + at % side / head_dim * strides.head + slot * strides.slot +
                             at % side % head_dim]);
    }

    // Scores of each query become weights; a thread has a query.
    MC_DEVICE void soften(int thread, float* scores) const {
        if (thread >= queries) return;
        float* row = scores + thread * kSlots;
        float top = row[0];
        for (int t = 1; t < kSlots; ++t) top = row[t] > top ? row[t] : top;
        float total = 0;
        for (int t = 0; t < kSlots; ++t) {
            row[t] = std::exp(row[t] - top);
            total += row[t];
        }
        for (int t = 0; t < kSlots; ++t) row[t] /= total;
    }

    // pooled (2, J, D): p of all queries, then r.
    MC_DEVICE void gather(std::int64_t begin, int thread, const float* weights,
                          float* pooled) const {
        for (int i = thread; i < 2 * queries * head_dim; i += kThreads) {
            const From* part = (i < queries * head_dim ? keys : values) + begin + i % head_dim;
            const float* row = weights + i / head_dim % queries * kSlots;
            float total = 0;
            for (int t = 0; t < kSlots; ++t) total += row[t] * to_float(part[t * strides.slot]);
            pooled[i] = total;
        }
    }

    MC_DEVICE void map_out(std::int64_t gist, int plane, int thread, const float* pooled) const {
        const int inputs = queries * head_dim;
        for (int i = thread; i < 2 * head_dim; i += kThreads) {
            const bool is_key = i < head_dim;
            const int d = i % head_dim;
            const float* map = (is_key ? parameters.key_map : parameters.value_map) +
                               std::int64_t{plane} * inputs * head_dim + d;
            const float* from = is_key ? pooled : pooled + inputs;
            float total = 0;
            for (int row = 0; row < inputs; ++row) total += from[row] * map[row * head_dim];
            (is_key ? out_keys : out_values)[(gist * layers * heads + plane) * head_dim + d] =
                total;
        }
    }

    // β = clamp(c + u · [p / ‖p‖ ; r / ‖r‖]). parts (4, threads): squares of p and r, products with
    // u.
    template <class Block>
    MC_DEVICE void weigh(Block& block, std::int64_t gist, int plane, const float* pooled) const {
        float* parts = block.template share<float>(4 * kThreads);
        const int side = queries * head_dim;
        block.each([&](int thread) {
            float mine[4] = {};
            for (int i = thread; i < 2 * side; i += kThreads) {
                const int which = i < side ? 0 : 1;
                mine[which] += pooled[i] * pooled[i];
                mine[2 + which] += pooled[i] * parameters.mass_map[plane * 2 * side + i];
            }
            for (int which = 0; which < 4; ++which) parts[which * kThreads + thread] = mine[which];
        });
        block.each([&](int thread) {
            if (thread < 4)
                for (int i = 1; i < kThreads; ++i)
                    parts[thread * kThreads] += parts[thread * kThreads + i];
        });
        block.each([&](int thread) {
            if (thread != 0) return;
            const float mass = parameters.mass_bias[plane] +
                               parts[2 * kThreads] / length_of(parts[0]) +
                               parts[3 * kThreads] / length_of(parts[kThreads]);
            out_mass[gist * layers * heads + plane] = mass < kLogMassMin   ? kLogMassMin
                                                      : mass > kLogMassMax ? kLogMassMax
                                                                           : mass;
        });
    }

    // A row of zeros stays zero, as gistnet's at_unit_length() has it.
    MC_DEVICE static float length_of(float squares) {
        const float length = std::sqrt(squares);
        return length < 1e-12F ? 1e-12F : length;
    }
};

}  // namespace mc::cuda
