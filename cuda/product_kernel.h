// SPDX-License-Identifier: Apache-2.0
// A row times weights as a GGUF file has them: decoding reads them on the fly, 5 bits a weight for
// Q4_1 where bf16 takes 16.
//
// out[n] = Σ_i W[n, i] x[i], in f32. A warp has one row of W; a thread takes eight neighbours at a
// time, which share their block's scale. As row_products_bf16() of lm/kernels, for any format.
// Bound by memory: the file's bytes (docs/cuda.md).
#pragma once

#include "cuda/quant_formats.h"

namespace mc::cuda {

template <class Format>
struct MultiplyRow {
    static constexpr int kThreads = 256;
    static constexpr int kWarps = kThreads / kWarpThreads;
    // Of a thread at a time; formats without blocks have their numbers side by side.
    static constexpr int kRun = 8;
    static constexpr int kSumStride = kWarpThreads + 1;  // so that columns lie in different banks

    Bytes weights;  // (rows, width) in blocks of Format
    const Bf16* x;  // (width)
    float* out;     // (rows)
    std::int64_t rows;
    int width;  // a multiple of Format::kElements and of kRun

    std::int64_t block_count() const { return divide_up(rows, kWarps); }

    std::size_t shared_bytes() const { return shared_size<float>(kWarps * kSumStride); }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const std::int64_t first = block.index() * kWarps;
        float* sums = block.template share<float>(kWarps * kSumStride);
        block.each([&](int thread) {
            const std::int64_t row = first + thread / kWarpThreads;
            sums[thread / kWarpThreads * kSumStride + thread % kWarpThreads] =
                row < rows ? share_of(row, thread % kWarpThreads) : 0.0F;
        });
        block.each([&](int thread) {
            if (thread >= kWarps || first + thread >= rows) return;
            float total = 0;
            for (int lane = 0; lane < kWarpThreads; ++lane)
                total += sums[thread * kSumStride + lane];
            out[first + thread] = total;
        });
    }

  private:
    MC_DEVICE float share_of(std::int64_t row, int lane) const {
        Bytes begin = weights + row * (width / Format::kElements) * Format::kBytes;
        float total = 0;
        for (int i = lane * kRun; i < width; i += kWarpThreads * kRun)
            for (int n = 0; n < kRun; ++n)
                total += Format::at(begin + (i + n) / Format::kElements * Format::kBytes,
                                    (i + n) % Format::kElements) *
                         to_float(x[i + n]);
        return total;
    }
};

}  // namespace mc::cuda
