// SPDX-License-Identifier: Apache-2.0
// Matrix products of bf16 rows with weights packed once, for processors with AVX512_BF16; where
// they have AMX too and K is a multiple of 32, in its tiles, some six times as fast.
//
// A weight matrix (N, K) lies in panels of 16 rows: for every pair of columns, the 16 rows' two
// values side by side, which is what one multiply instruction takes. libtorch's product packs the
// weights anew at every call, which costs a third of the time at 128 rows and half at 32.
// Sums are f32. Knows nothing of libtorch; every function works on rows [row_begin, row_end) of the
// input and panel pairs [begin, end) of the weights, so the caller decides on threads.
// Requires of all: has_panel_kernels(), K even, N a multiple of 32.
#pragma once

#include <cstdint>

#include "lm/kernels/cpu_kernels.h"

namespace mc::lm {

constexpr std::int64_t kPanelRows = 16;

bool has_panel_kernels();

struct PanelRows {
    const Bf16Bits* x;       // (rows, columns)
    const Bf16Bits* panels;  // (N / 16, columns / 2, 16, 2)
    void* out;
    std::int64_t columns;      // K
    std::int64_t panel_count;  // N / 16
    std::int64_t out_stride;   // elements
};

// Panels from a row-major matrix (16 × panel_count, columns).
void pack_panels(const Bf16Bits* weights, std::int64_t panel_count, std::int64_t columns,
                 Bf16Bits* panels);

// out (rows, N) bf16 = x · weights. A pair is two panels after each other.
void panel_product(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                   std::int64_t begin, std::int64_t end);

// out (rows, N) f32 += x · weights.
void panel_product_add(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                       std::int64_t begin, std::int64_t end);

// out (rows, N / 2) bf16 = silu(x · first half of weights) × (x · second half). A pair is a panel
// of each half.
void panel_product_silu(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                        std::int64_t begin, std::int64_t end);

}  // namespace mc::lm
