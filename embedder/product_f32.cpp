// SPDX-License-Identifier: Apache-2.0
#include "embedder/lanes.h"
#include "embedder/product_tile.h"

namespace mc::embedder {
namespace {

template <int kBytes, int kRows>
MC_INLINE void multiply_rows(const float* x, std::int64_t columns, const float* panel,
                             float* sums) {
    Lanes<kBytes> sum[kRows] = {};
    for (std::int64_t k = 0; k < columns; ++k) {
        Lanes<kBytes> weights;
        weights.load(panel + k * kPanelRows);
#pragma GCC unroll 6
        for (int m = 0; m < kRows; ++m) sum[m].add_product(x[m * columns + k], weights);
    }
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) sum[m].store(sums + m * kPanelRows);
}

template <int kBytes>
MC_INLINE void multiply_tile(const TileInput& tile, TileSums sums) {
    const auto* panel = reinterpret_cast<const float*>(tile.panel);
    for (std::int64_t row = 0; row < tile.count;) {
        // An element of this format is the bits of a float.
        const auto* x = reinterpret_cast<const float*>(tile.x) + row * tile.columns;
        const bool is_full = tile.count - row >= kRowsAtOnce;
        for (std::int64_t lane = 0; lane < kPanelRows; lane += kLanes) {
            if (is_full)
                multiply_rows<kBytes, kRowsAtOnce>(x, tile.columns, panel + lane, sums[row] + lane);
            else
                multiply_rows<kBytes, 1>(x, tile.columns, panel + lane, sums[row] + lane);
        }
        row += is_full ? kRowsAtOnce : 1;
    }
}

#ifdef MC_HAS_CLONES
MC_V4 void multiply_tile_v4(const TileInput& tile, TileSums sums) {
    multiply_tile<64>(tile, sums);
}

MC_V3 void multiply_tile_v3(const TileInput& tile, TileSums sums) {
    multiply_tile<32>(tile, sums);
}
#endif

}  // namespace

void multiply_tile_f32(const TileInput& tile, TileSums sums) {
#ifdef MC_HAS_CLONES
    static const Registers widest = widest_registers();
    if (widest == Registers::kAvx512) return multiply_tile_v4(tile, sums);
    if (widest == Registers::kAvx2) return multiply_tile_v3(tile, sums);
#endif
    multiply_tile<16>(tile, sums);
}

}  // namespace mc::embedder
