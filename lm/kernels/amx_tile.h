// SPDX-License-Identifier: Apache-2.0
// The inner loop of panel_tile.h in AMX's tiles: up to 32 rows times two panels.
//
// For the files of lm/kernels alone, under MC_HAS_AVX512_BF16, and called only where
// has_amx_tiles() says so. A panel is laid out as TDPBF16PS takes its second operand: a tile row
// holds a pair of columns of 16 weight rows. Intel's manual, volume 1, chapter 18.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lm/kernels/avx512_math.h"

#define MC_AMX \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,amx-tile,amx-bf16")))

namespace mc::lm {

constexpr int kAmxRows = 16;     // of a tile
constexpr int kAmxDepth = 32;    // columns that one instruction sums over
constexpr int kAmxRowsTwo = 32;  // of the two tiles that share a load of the panels

// Asks the processor, and the kernel for leave to use the tiles' state, once.
bool has_amx_tiles();

// This thread's tiles while it lives: 0 to 3 sums (two rows of tiles by two panels), 4 and 5 rows
// of the input, 6 and 7 panels.
class AmxTiles {
  public:
    // rows: 1 to 32, of the input.
    MC_AMX explicit AmxTiles(int rows) { configure(rows); }

    MC_AMX ~AmxTiles() { _tile_release(); }

    AmxTiles(const AmxTiles&) = delete;
    AmxTiles& operator=(const AmxTiles&) = delete;

    MC_AMX void configure(int rows) {
        if (rows == rows_) return;
        rows_ = rows;
        Configuration made;
        const auto first = static_cast<std::uint8_t>(std::min(rows, kAmxRows));
        // A tile that is not used still needs a row.
        const auto second = static_cast<std::uint8_t>(std::max(rows - kAmxRows, 1));
        for (const int tile : {0, 1, 4}) made.rows[tile] = first;
        for (const int tile : {2, 3, 5}) made.rows[tile] = second;
        for (const int tile : {6, 7}) made.rows[tile] = kAmxDepth / 2;
        for (std::uint16_t& bytes : made.row_bytes) bytes = 64;
        std::fill(made.row_bytes + 8, made.row_bytes + 16, std::uint16_t{0});
        _tile_loadconfig(&made);
    }

  private:
    struct alignas(64) Configuration {
        std::uint8_t palette = 1;
        std::uint8_t start_row = 0;
        std::uint8_t reserved[14] = {};
        std::uint16_t row_bytes[16] = {};
        std::uint8_t rows[16] = {};
    };

    int rows_ = 0;
};

// sums (rows, 32) = x, `columns` wide, times two panels. Requires: columns a multiple of 32, tiles
// configured for the rows; kTwo where there are more than 16.
template <bool kTwo>
MC_AMX inline void multiply_amx(const Bf16Bits* x, std::int64_t columns, const Bf16Bits* first,
                                const Bf16Bits* second, float* sums) {
    const auto x_stride = static_cast<std::size_t>(columns) * sizeof(Bf16Bits);
    const Bf16Bits* const x_second = x + kAmxRows * columns;
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kTwo) {
        _tile_zero(2);
        _tile_zero(3);
    }
    for (std::int64_t k = 0; k < columns; k += kAmxDepth) {
        _tile_loadd(6, first + k * kAmxRows, 64);
        _tile_loadd(7, second + k * kAmxRows, 64);
        _tile_loadd(4, x + k, x_stride);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if constexpr (kTwo) {
            _tile_loadd(5, x_second + k, x_stride);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    constexpr std::size_t kSumsStride = 32 * sizeof(float);
    _tile_stored(0, sums, kSumsStride);
    _tile_stored(1, sums + 16, kSumsStride);
    if constexpr (kTwo) {
        _tile_stored(2, sums + 32 * kAmxRows, kSumsStride);
        _tile_stored(3, sums + 32 * kAmxRows + 16, kSumsStride);
    }
}

}  // namespace mc::lm
