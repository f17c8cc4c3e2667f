// SPDX-License-Identifier: Apache-2.0
// Matrix products of activations with weights that were packed once, and what follows each.
//
// Two formats. f32 runs everywhere. f16 needs AVX512_FP16, whose multiply-add does 32 lanes where
// f32 does 16 and which runs twice as often as that of bf16: sums are f16 over stretches of 64
// columns and f32 from there. Pure functions on buffers of the caller's; one thread a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mc::embedder {

enum class NumberFormat { kF32, kF16 };

bool has_f16_products();

// One number of an activation as a product takes it: the bits of an f32, or an f16 twice, which
// one 32-bit broadcast spreads over a register.
using Element = std::uint32_t;

// Rounds numbers to elements.
void to_elements(NumberFormat format, const float* from, std::int64_t count, Element* to);

// y = x · weightᵀ + bias. Rows of the weight lie in panels of 64, zero beyond the last.
class PackedLinear {
  public:
    PackedLinear() = default;
    // weight: (rows, columns) row-major; bias: (rows).
    PackedLinear(NumberFormat format, const std::vector<float>& weight, std::vector<float> bias);

    NumberFormat format() const { return format_; }

    std::int64_t rows() const { return static_cast<std::int64_t>(bias_.size()); }

    std::int64_t columns() const { return columns_; }

    std::int64_t panel_count() const;

    const float* bias() const { return bias_.data(); }

    // Panel p: (columns, 64) in the format's numbers, aligned to 64 bytes.
    const std::byte* panel(std::int64_t p) const;

  private:
    struct alignas(64) CacheLine {
        std::byte bytes[64];
    };

    std::int64_t panel_bytes() const;

    NumberFormat format_ = NumberFormat::kF32;
    std::int64_t columns_ = 0;
    std::vector<float> bias_;
    std::vector<CacheLine> panels_;
};

// x: (count, columns). out: (count, rows).
void multiply(const PackedLinear& linear, const Element* x, std::int64_t count, float* out);

// sums (count, rows) += the product.
void multiply_add(const PackedLinear& linear, const Element* x, std::int64_t count, float* sums);

// out: (count, rows) elements of gelu(product), gelu(v) = v Φ(v) with the error function.
void multiply_gelu(const PackedLinear& linear, const Element* x, std::int64_t count, Element* out);

}  // namespace mc::embedder
