// SPDX-License-Identifier: Apache-2.0
#include "embedder/products.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "embedder/product_tile.h"
#include "embedder/row_steps.h"

namespace mc::embedder {
namespace {

// Panels that stay in the second-level cache while all rows pass by.
constexpr std::int64_t kBlockBytes = 512 << 10;

std::int64_t number_bytes(NumberFormat format) {
    return format == NumberFormat::kF16 ? 2 : 4;
}

// Writes a row of weights to its place in each column of a panel.
template <class Number>
void put_row(const Number* row, std::int64_t columns, std::int64_t place, std::byte* panel) {
    auto* to = reinterpret_cast<Number*>(panel) + place;
    for (std::int64_t k = 0; k < columns; ++k) to[k * kPanelRows] = row[k];
}

// Calls finish(row, panel, sums) for each row and panel of the product.
template <class Finish>
void for_each_sum(const PackedLinear& linear, const Element* x, std::int64_t count,
                  const Finish& finish) {
    const auto multiply_tile =
        linear.format() == NumberFormat::kF16 ? &multiply_tile_f16 : &multiply_tile_f32;
    const std::int64_t panel_bytes = linear.columns() * kPanelRows * number_bytes(linear.format());
    const std::int64_t block = std::max<std::int64_t>(1, kBlockBytes / panel_bytes);
    alignas(64) float sums[kTileRows][kPanelRows];
    for (std::int64_t begin = 0; begin < linear.panel_count(); begin += block) {
        const std::int64_t end = std::min(linear.panel_count(), begin + block);
        for (std::int64_t row = 0; row < count; row += kTileRows) {
            const std::int64_t rows = std::min(kTileRows, count - row);
            for (std::int64_t p = begin; p < end; ++p) {
                multiply_tile({x + row * linear.columns(), rows, linear.columns(), linear.panel(p)},
                              sums);
                for (std::int64_t m = 0; m < rows; ++m) finish(row + m, p, sums[m]);
            }
        }
    }
}

// The columns of panel p in an output row, and how many of its 64 there are.
struct PanelSpan {
    PanelSpan(const PackedLinear& linear, std::int64_t p)
        : first(p * kPanelRows), count(std::min(kPanelRows, linear.rows() - first)) {}

    std::int64_t first;
    std::int64_t count;
};

}  // namespace

PackedLinear::PackedLinear(NumberFormat format, const std::vector<float>& weight,
                           std::vector<float> bias)
    : format_(format),
      columns_(static_cast<std::int64_t>(weight.size() / bias.size())),
      bias_(std::move(bias)) {
    MC_CHECK(static_cast<std::int64_t>(weight.size()) == rows() * columns_,
             "weight and bias differ");
    panels_.resize(static_cast<std::size_t>(panel_count() * panel_bytes()) / sizeof(CacheLine));
    auto* bytes = reinterpret_cast<std::byte*>(panels_.data());
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(columns_));
    for (std::int64_t n = 0; n < rows(); ++n) {
        const float* row = weight.data() + n * columns_;
        std::byte* panel_begin = bytes + n / kPanelRows * panel_bytes();
        if (format_ == NumberFormat::kF16) {
            to_halves_f16(row, columns_, halves.data());
            put_row(halves.data(), columns_, n % kPanelRows, panel_begin);
        } else {
            put_row(row, columns_, n % kPanelRows, panel_begin);
        }
    }
}

std::int64_t PackedLinear::panel_count() const {
    return (rows() + kPanelRows - 1) / kPanelRows;
}

std::int64_t PackedLinear::panel_bytes() const {
    return columns_ * kPanelRows * number_bytes(format_);
}

const std::byte* PackedLinear::panel(std::int64_t p) const {
    return reinterpret_cast<const std::byte*>(panels_.data()) + p * panel_bytes();
}

void to_elements(NumberFormat format, const float* from, std::int64_t count, Element* to) {
    if (format == NumberFormat::kF16)
        to_elements_f16(from, count, to);
    else
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

void multiply(const PackedLinear& linear, const Element* x, std::int64_t count, float* out) {
    for_each_sum(linear, x, count, [&](std::int64_t row, std::int64_t p, const float* sums) {
        const PanelSpan span(linear, p);
        add_rows(sums, linear.bias() + span.first, span.count,
                 out + row * linear.rows() + span.first);
    });
}

void multiply_add(const PackedLinear& linear, const Element* x, std::int64_t count, float* sums) {
    for_each_sum(linear, x, count, [&](std::int64_t row, std::int64_t p, float* product) {
        const PanelSpan span(linear, p);
        float* out = sums + row * linear.rows() + span.first;
        add_rows(product, linear.bias() + span.first, span.count, product);
        add_rows(out, product, span.count, out);
    });
}

void multiply_gelu(const PackedLinear& linear, const Element* x, std::int64_t count, Element* out) {
    for_each_sum(linear, x, count, [&](std::int64_t row, std::int64_t p, float* sums) {
        const PanelSpan span(linear, p);
        add_rows(sums, linear.bias() + span.first, span.count, sums);
        gelu(sums, span.count);
        to_elements(linear.format(), sums, span.count, out + row * linear.rows() + span.first);
    });
}

}  // namespace mc::embedder
