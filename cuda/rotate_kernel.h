// SPDX-License-Identifier: Apache-2.0
// Keys turned by RoPE's angles: gists placed in the cache, cached keys moved to other positions.
//
// As rotate() of lm/kernels/kernel_math.h: pairs (2i, 2i+1), in f32, with its bits where it rounds
// every product. A thread turns a pair. Bound by memory: it reads and writes every number once.
#pragma once

#include "cuda/numbers.h"

namespace mc::cuda {

// Rows n of heads h, each of 2 × pairs numbers at from + h × from_head_stride + n ×
// from_row_stride; so is to, which may be from. Strides are in elements.
template <class From, class To>
struct RotateRows {
    static constexpr int kThreads = 256;

    const From* from;
    To* to;
    const float* cosines;  // (angle rows, pairs); null: numbers are converted and not turned
    const float* sines;
    const std::int32_t* angle_rows;  // (rows): a gist's position; null: all turn by the first row
    std::int64_t heads;
    std::int64_t rows;
    int pairs;  // at most kThreads
    std::int64_t from_head_stride;
    std::int64_t from_row_stride;
    std::int64_t to_head_stride;
    std::int64_t to_row_stride;
    bool back;  // by the negative angles

    // A block turns some rows of one head.
    std::int64_t rows_per_block() const { return kThreads / pairs; }

    std::int64_t block_count() const { return heads * divide_up(rows, rows_per_block()); }

    std::size_t shared_bytes() const { return 0; }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const int rows_here = kThreads / pairs;
        const std::int64_t blocks_per_head = divide_up(rows, rows_here);
        const std::int64_t head = block.index() / blocks_per_head;
        const std::int64_t first = block.index() % blocks_per_head * rows_here;
        block.each([&](int thread) {
            const std::int64_t row = first + thread / pairs;
            if (thread < rows_here * pairs && row < rows) turn(head, row, thread % pairs);
        });
    }

  private:
    MC_DEVICE void turn(std::int64_t head, std::int64_t row, int pair) const {
        const From* source = from + head * from_head_stride + row * from_row_stride + 2 * pair;
        To* target = to + head * to_head_stride + row * to_row_stride + 2 * pair;
        const float a = to_float(source[0]);
        const float b = to_float(source[1]);
        if (cosines == nullptr) {
            target[0] = from_float<To>(a);
            target[1] = from_float<To>(b);
            return;
        }
        const std::int64_t angle = (angle_rows == nullptr ? 0 : angle_rows[row]) * pairs + pair;
        const float cosine = cosines[angle];
        const float sine = back ? -sines[angle] : sines[angle];
        target[0] = from_float<To>(sum(product(a, cosine), -product(b, sine)));
        target[1] = from_float<To>(sum(product(a, sine), product(b, cosine)));
    }
};

}  // namespace mc::cuda
