// SPDX-License-Identifier: Apache-2.0
// The inner loops of products.h: a few rows of activations times one panel of weights.
//
// For the product files alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "embedder/products.h"

namespace mc::embedder {

constexpr std::int64_t kPanelRows = 64;
constexpr std::int64_t kTileRows = 12;

// sums[m] = x row m · panel, for rows 0 to count − 1. Requires: count ≤ kTileRows.
struct TileInput {
    const Element* x;
    std::int64_t count;
    std::int64_t columns;
    const std::byte* panel;
};

using TileSums = float (&)[kTileRows][kPanelRows];

void multiply_tile_f32(const TileInput& tile, TileSums sums);

// Require has_f16_products().
void multiply_tile_f16(const TileInput& tile, TileSums sums);
void to_elements_f16(const float* from, std::int64_t count, Element* to);
void to_halves_f16(const float* from, std::int64_t count, std::uint16_t* to);

}  // namespace mc::embedder
