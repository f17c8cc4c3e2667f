// SPDX-License-Identifier: Apache-2.0
#include "embedder/lanes.h"
#include "embedder/product_tile.h"

namespace mc::embedder {
namespace {

template <int kRows>
MC_INLINE void multiply_rows(const float* x, std::int64_t columns, const float* panel,
                             float* sums) {
    Lanes sum[kRows] = {};
    for (std::int64_t k = 0; k < columns; ++k) {
        const Lanes weights = lanes_at(panel + k * kPanelRows);
#pragma GCC unroll 6
        for (int m = 0; m < kRows; ++m) sum[m] += x[m * columns + k] * weights;
    }
#pragma GCC unroll 6
    for (int m = 0; m < kRows; ++m) lanes_at(sums + m * kPanelRows) = sum[m];
}

}  // namespace

MC_CLONES void multiply_tile_f32(const TileInput& tile, TileSums sums) {
    const auto* panel = reinterpret_cast<const float*>(tile.panel);
    for (std::int64_t row = 0; row < tile.count;) {
        // An element of this format is the bits of a float.
        const auto* x = reinterpret_cast<const float*>(tile.x) + row * tile.columns;
        const bool is_full = tile.count - row >= kRowsAtOnce;
        for (std::int64_t lane = 0; lane < kPanelRows; lane += kLanes) {
            if (is_full)
                multiply_rows<kRowsAtOnce>(x, tile.columns, panel + lane, sums[row] + lane);
            else
                multiply_rows<1>(x, tile.columns, panel + lane, sums[row] + lane);
        }
        row += is_full ? kRowsAtOnce : 1;
    }
}

}  // namespace mc::embedder
