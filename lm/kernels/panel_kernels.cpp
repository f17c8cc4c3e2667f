// SPDX-License-Identifier: Apache-2.0
#include "lm/kernels/panel_kernels.h"

#include <algorithm>

#include "core/check.h"
#include "lm/kernels/avx512_math.h"

#if MC_HAS_AVX512_BF16
#include <sys/syscall.h>
#include <unistd.h>

#include "lm/kernels/amx_tile.h"
#include "lm/kernels/panel_tile.h"
#endif

namespace mc::lm {

#if MC_HAS_AVX512_BF16

namespace {

// Panels that stay in the second-level cache while all rows pass by.
constexpr std::int64_t kBlockBytes = 384 << 10;

struct StoreBf16 {
    template <int kRows>
    MC_AVX512_INLINE static void apply(const PanelRows& product, std::int64_t row,
                                       std::int64_t pair, const __m512 (&sums)[kRows][2]) {
        auto* out = static_cast<Bf16Bits*>(product.out) + row * product.out_stride + pair * 32;
#pragma GCC unroll 12
        for (int m = 0; m < kRows; ++m, out += product.out_stride)
            store_bf16(out, _mm512_cvtne2ps_pbh(sums[m][1], sums[m][0]));
    }
};

struct AddFloat {
    template <int kRows>
    MC_AVX512_INLINE static void apply(const PanelRows& product, std::int64_t row,
                                       std::int64_t pair, const __m512 (&sums)[kRows][2]) {
        auto* out = static_cast<float*>(product.out) + row * product.out_stride + pair * 32;
#pragma GCC unroll 12
        for (int m = 0; m < kRows; ++m, out += product.out_stride) {
            _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(out), sums[m][0]));
            _mm512_storeu_ps(out + 16, _mm512_add_ps(_mm512_loadu_ps(out + 16), sums[m][1]));
        }
    }
};

struct SiluBf16 {
    template <int kRows>
    MC_AVX512_INLINE static void apply(const PanelRows& product, std::int64_t row,
                                       std::int64_t pair, const __m512 (&sums)[kRows][2]) {
        auto* out = static_cast<Bf16Bits*>(product.out) + row * product.out_stride + pair * 16;
#pragma GCC unroll 12
        for (int m = 0; m < kRows; ++m, out += product.out_stride)
            store_half_bf16(out, _mm512_mul_ps(silu(sums[m][0]), sums[m][1]));
    }
};

// The product of a few rows with a pair of panels, and what becomes of it.
template <class Epilogue>
struct ProductTile {
    template <int kRows>
    MC_AVX512 static void run(const PanelRows& product, std::int64_t row, std::int64_t pair,
                              const Bf16Bits* first, const Bf16Bits* second) {
        __m512 sums[kRows][2];
        multiply_tile<kRows>(product.x + row * product.columns, product.columns,
                             product.columns / 2, first, second, 2 * kPanelRows, sums);
        Epilogue::template apply<kRows>(product, row, pair, sums);
    }
};

// Panel pairs whose weights stay in the second-level cache while all rows pass by.
std::int64_t pairs_at_once(std::int64_t panel_size) {
    return std::max<std::int64_t>(
        1, kBlockBytes / (2 * panel_size * static_cast<std::int64_t>(sizeof(Bf16Bits))));
}

// What becomes of `kRows` rows of sums that AMX left in memory.
template <class Epilogue, int kRows>
MC_AVX512_INLINE void apply_rows(const PanelRows& product, std::int64_t row, std::int64_t pair,
                                 const float* sums) {
    __m512 loaded[kRows][2];
#pragma GCC unroll 12
    for (int m = 0; m < kRows; ++m)
        for (int panel = 0; panel < 2; ++panel)
            loaded[m][panel] = _mm512_load_ps(sums + (2 * m + panel) * kPanelRows);
    Epilogue::template apply<kRows>(product, row, pair, loaded);
}

template <class Epilogue>
MC_AVX512 void apply_all_rows(const PanelRows& product, std::int64_t row, std::int64_t rows,
                              std::int64_t pair, const float* sums) {
    constexpr int kTogether = 8;
    std::int64_t m = 0;
    for (; m + kTogether <= rows; m += kTogether)
        apply_rows<Epilogue, kTogether>(product, row + m, pair, sums + m * 2 * kPanelRows);
    for (; m < rows; ++m)
        apply_rows<Epilogue, 1>(product, row + m, pair, sums + m * 2 * kPanelRows);
}

// As run(), in tiles of AMX. Every number of rows goes this way, so that a row's sums do not depend
// on how many others are read with it.
template <class Epilogue>
MC_AMX void run_amx(const PanelRows& product, std::int64_t gap, std::int64_t step,
                    std::int64_t row_begin, std::int64_t row_end, std::int64_t begin,
                    std::int64_t end) {
    alignas(64) float sums[kAmxRowsTwo * 2 * kPanelRows];
    const std::int64_t panel_size = product.columns * kPanelRows;
    const std::int64_t block = pairs_at_once(panel_size);
    AmxTiles tiles(static_cast<int>(std::min<std::int64_t>(kAmxRowsTwo, row_end - row_begin)));
    for (std::int64_t at = begin; at < end; at += block)
        for (std::int64_t row = row_begin; row < row_end; row += kAmxRowsTwo) {
            const std::int64_t rows = std::min<std::int64_t>(kAmxRowsTwo, row_end - row);
            tiles.configure(static_cast<int>(rows));
            const Bf16Bits* const x = product.x + row * product.columns;
            for (std::int64_t pair = at; pair < std::min(end, at + block); ++pair) {
                const Bf16Bits* first = product.panels + pair * step * panel_size;
                const Bf16Bits* second = first + gap * panel_size;
                if (rows > kAmxRows)
                    multiply_amx<true>(x, product.columns, first, second, sums);
                else
                    multiply_amx<false>(x, product.columns, first, second, sums);
                apply_all_rows<Epilogue>(product, row, rows, pair, sums);
            }
        }
}

// A pair's panels lie `gap` panels apart, and pairs `step` panels.
template <class Epilogue>
void run(const PanelRows& product, std::int64_t gap, std::int64_t step, std::int64_t row_begin,
         std::int64_t row_end, std::int64_t begin, std::int64_t end) {
    if (row_begin == row_end || begin == end) return;
    if (product.columns % kAmxDepth == 0 && has_amx_tiles())
        return run_amx<Epilogue>(product, gap, step, row_begin, row_end, begin, end);
    const std::int64_t panel_size = product.columns * kPanelRows;
    const std::int64_t block = pairs_at_once(panel_size);
    for (std::int64_t at = begin; at < end; at += block)
        for (std::int64_t row = row_begin; row < row_end; row += kTileRows) {
            const std::int64_t rows = std::min<std::int64_t>(kTileRows, row_end - row);
            const auto tile = tile_for<ProductTile<Epilogue>>(rows);
            for (std::int64_t pair = at; pair < std::min(end, at + block); ++pair) {
                const Bf16Bits* first = product.panels + pair * step * panel_size;
                tile(product, row, pair, first, first + gap * panel_size);
            }
        }
}

}  // namespace

// Linux gives the tiles' state (number 18) to a process that asks for it: arch_prctl(2).
bool has_amx_tiles() {
    constexpr long kAskForState = 0x1023;
    constexpr long kTileData = 18;
    static const bool granted = __builtin_cpu_supports("amx-tile") != 0 &&
                                __builtin_cpu_supports("amx-bf16") != 0 &&
                                syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
    return granted;
}

bool has_panel_kernels() {
    return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

void panel_product(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                   std::int64_t begin, std::int64_t end) {
    run<StoreBf16>(product, 1, 2, row_begin, row_end, begin, end);
}

void panel_product_add(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                       std::int64_t begin, std::int64_t end) {
    run<AddFloat>(product, 1, 2, row_begin, row_end, begin, end);
}

void panel_product_silu(const PanelRows& product, std::int64_t row_begin, std::int64_t row_end,
                        std::int64_t begin, std::int64_t end) {
    run<SiluBf16>(product, product.panel_count / 2, 1, row_begin, row_end, begin, end);
}

#else

bool has_panel_kernels() {
    return false;
}

void panel_product(const PanelRows&, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
    MC_CHECK(false, "no AVX512_BF16 in this build");
}

void panel_product_add(const PanelRows&, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
    MC_CHECK(false, "no AVX512_BF16 in this build");
}

void panel_product_silu(const PanelRows&, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
    MC_CHECK(false, "no AVX512_BF16 in this build");
}

#endif

void pack_panels(const Bf16Bits* weights, std::int64_t panel_count, std::int64_t columns,
                 Bf16Bits* panels) {
    for (std::int64_t panel = 0; panel < panel_count; ++panel)
        for (std::int64_t k = 0; k < columns; k += 2)
            for (std::int64_t row = 0; row < kPanelRows; ++row, panels += 2)
                std::copy_n(weights + (panel * kPanelRows + row) * columns + k, 2, panels);
}

}  // namespace mc::lm
