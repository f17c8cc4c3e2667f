// SPDX-License-Identifier: Apache-2.0
// Matrix products: with packed weights for many rows, with quantised ones for one.
#include "bench/contest.h"
#include "bench/shapes.h"
#include "core/check.h"
#include "formats/gguf.h"
#include "lm/kernels/row_kernels.h"
#include "lm/torch/panel_ops.h"

namespace mc::bench {
namespace {

constexpr std::int64_t kPanelsPerTask = 4;

at::Tensor random_bf16(at::IntArrayRef sizes) {
    return at::randn(sizes).to(at::kBFloat16);
}

Contest packed_contest(std::int64_t rows) {
    const at::Tensor x = random_bf16({rows, kWidth});
    const at::Tensor weight = random_bf16({kProjected, kWidth});
    const at::Tensor panels = lm::pack_weight(weight);
    Contest out;
    out.ours = [=] { return lm::product(x, weight, panels); };
    out.plain = [=] { return at::linear(x, weight); };
    out.work = 2.0 * static_cast<double>(rows * kWidth * kProjected);
    return out;
}

Contest gated_contest(std::int64_t rows) {
    const at::Tensor x = random_bf16({rows, kWidth});
    const at::Tensor weight = random_bf16({2 * kFfn, kWidth}) / 24;
    const at::Tensor panels = lm::pack_weight(weight);
    Contest out;
    out.ours = [=] { return lm::gated_product(x, weight, panels); };
    out.plain = [=] {
        const at::Tensor both = at::linear(x, weight);
        return at::silu(both.narrow(1, 0, kFfn)) * both.narrow(1, kFfn, kFfn);
    };
    out.work = 2.0 * static_cast<double>(rows * kWidth * 2 * kFfn);
    return out;
}

struct QuantFormat {
    const char* name;
    lm::GgmlType type;
    lm::RowFormat format;
    bool (*pack)(const std::uint8_t*, std::int64_t, std::uint8_t*);
    std::int64_t scale_count;  // f16 numbers at the start of a block
};

// Blocks of random quants (rows, bytes), with scales between 2^-6 and 2^-5 of either sign.
at::Tensor random_blocks(const QuantFormat& quant, std::int64_t rows, std::int64_t columns) {
    const auto size = static_cast<std::int64_t>(lm::ggml_block(quant.type).size_bytes);
    const at::Tensor blocks =
        at::randint(256, {rows * columns / lm::kBlockColumns, size}).to(at::kByte);
    for (std::int64_t s = 0; s < quant.scale_count; ++s) {
        const at::Tensor high = blocks.select(1, 2 * s + 1);
        high.bitwise_and_(0x80).bitwise_or_(0x24);
    }
    return blocks.view({rows, -1});
}

// One row times gate and up, as decode reads them; the plain form takes the weights in bf16.
Contest row_contest(const QuantFormat& quant) {
    const std::int64_t rows = 2 * kFfn;
    const std::int64_t panel_count = rows / 16;
    const at::Tensor x = random_bf16({1, kWidth});
    const at::Tensor blocks = random_blocks(quant, rows, kWidth);
    const std::int64_t packed_bytes = lm::row_weight_bytes(quant.format, panel_count, kWidth);
    const at::Tensor packed = at::empty({packed_bytes}, at::kByte);
    for (std::int64_t panel = 0; panel < panel_count; ++panel)
        MC_CHECK(
            quant.pack(blocks.const_data_ptr<std::uint8_t>() + panel * 16 * blocks.size(1), kWidth,
                       packed.data_ptr<std::uint8_t>() + panel * packed_bytes / panel_count),
            "a scale that the packer refuses");
    const auto* bytes = reinterpret_cast<const std::byte*>(blocks.const_data_ptr<std::uint8_t>());
    const lm::GgufTensor tensor{"w",
                                quant.type,
                                {std::uint64_t{kWidth}, static_cast<std::uint64_t>(rows)},
                                {bytes, static_cast<std::size_t>(blocks.numel())}};
    const auto dequantised = lm::dequantize(tensor);
    MC_CHECK(dequantised.has_value(), dequantised.error().to_string());
    const at::Tensor weight = at::tensor(at::ArrayRef<float>(*dequantised), at::kFloat)
                                  .view({rows, kWidth})
                                  .to(at::kBFloat16);
    Contest out;
    const lm::RowWeights weights{quant.format, packed.const_data_ptr(), kWidth, panel_count};
    const at::Tensor sums = at::empty({kWidth / lm::kBlockColumns});
    out.ours = [=, keep = packed] {
        at::Tensor result = at::empty({1, rows});
        const auto* row = static_cast<const lm::Bf16Bits*>(x.const_data_ptr());
        auto* block_sums = sums.data_ptr<float>();
        lm::sum_blocks(row, kWidth, block_sums);
        at::parallel_for(0, panel_count, kPanelsPerTask, [&](std::int64_t begin, std::int64_t end) {
            lm::multiply_row(weights, {row, block_sums}, result.data_ptr<float>(), begin, end);
        });
        return result;
    };
    out.plain = [=] { return at::linear(x, weight); };
    out.unit = Unit::kBytes;
    out.work = static_cast<double>(packed_bytes);
    return out;
}

}  // namespace

void add_product_contests() {
    for (const std::int64_t rows : {32, 128, 512}) {
        const std::string suffix = "/" + std::to_string(rows);
        add_contest("packed_product" + suffix, [rows] { return packed_contest(rows); });
        add_contest("gated_product" + suffix, [rows] { return gated_contest(rows); });
    }
    for (const QuantFormat& quant :
         {QuantFormat{"q4_0", lm::GgmlType::kQ4_0, lm::RowFormat::kFour, lm::pack_q4_0, 1},
          QuantFormat{"q4_1", lm::GgmlType::kQ4_1, lm::RowFormat::kFour, lm::pack_q4_1, 2},
          QuantFormat{"q8_0", lm::GgmlType::kQ8_0, lm::RowFormat::kEight, lm::pack_q8_0, 1}})
        add_contest(std::string("row_product/") + quant.name,
                    [quant] { return row_contest(quant); });
}

}  // namespace mc::bench
