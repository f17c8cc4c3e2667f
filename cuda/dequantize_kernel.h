// SPDX-License-Identifier: Apache-2.0
// Weights as a GGUF file has them to numbers (quant_formats.h), a thread to four numbers.
//
// Bound by memory: it reads the file's bytes once and writes To once (docs/cuda.md).
#pragma once

#include "cuda/quant_formats.h"

namespace mc::cuda {

// To: float, with the bits of lm::dequantize(), or Bf16, those rounded to nearest.
template <class Format, class To>
struct Dequantize {
    static constexpr int kThreads = 256;
    static constexpr int kPerThread = 4;

    Bytes blocks;        // of the whole tensor
    To* out;             // (count)
    std::int64_t count;  // a multiple of Format::kElements

    std::int64_t block_count() const { return divide_up(count, kThreads * kPerThread); }

    std::size_t shared_bytes() const { return 0; }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const std::int64_t first = block.index() * (kThreads * kPerThread);
        block.each([&](int thread) {
            // Neighbours in memory are neighbouring threads.
            for (std::int64_t i = first + thread; i < first + kThreads * kPerThread; i += kThreads)
                if (i < count)
                    out[i] =
                        from_float<To>(Format::at(blocks + i / Format::kElements * Format::kBytes,
                                                  static_cast<int>(i % Format::kElements)));
        });
    }
};

}  // namespace mc::cuda
