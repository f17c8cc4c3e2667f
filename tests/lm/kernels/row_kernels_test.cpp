// SPDX-License-Identifier: Apache-2.0
// Products of quantised weights with one row against the dequantised weights, in f64.
#include "lm/kernels/row_kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "formats/gguf.h"
#include "lm/kernels/panel_kernels.h"

namespace mc::lm::test {
namespace {

float float_of(Bf16Bits bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

struct Format {
    GgmlType type;
    RowFormat format;
    bool (*pack)(const std::uint8_t*, std::int64_t, std::uint8_t*);
    std::size_t scale_count;  // f16 numbers at the start of a block
};

class RowProducts : public testing::TestWithParam<Format> {
  protected:
    void SetUp() override {
        if (!has_panel_kernels()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    }

    // Blocks of random quants, with scales between 2^-5 and 2^-4 of either sign.
    std::vector<std::uint8_t> random_blocks(std::size_t count) {
        const std::size_t size = ggml_block(GetParam().type).size_bytes;
        std::vector<std::uint8_t> out(count * size);
        for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_());
        for (std::size_t b = 0; b < count; ++b)
            for (std::size_t s = 0; s < GetParam().scale_count; ++s)
                out[b * size + 2 * s + 1] = static_cast<std::uint8_t>((random_() & 0x80U) | 0x28U);
        return out;
    }

    std::mt19937 random_{5};
};

TEST_P(RowProducts, equal_the_products_of_the_dequantised_weights) {
    const std::int64_t panels = 3;
    const std::int64_t columns = 96;
    const auto rows = static_cast<std::uint64_t>(panels * kPanelRows);
    const auto blocks = rows * static_cast<std::uint64_t>(columns / kBlockColumns);
    const std::vector<std::uint8_t> file = random_blocks(blocks);
    const GgufTensor tensor{"w", GetParam().type, {96, rows}, std::as_bytes(std::span(file))};
    const std::vector<float> weights = dequantize(tensor).value();
    const auto panel_bytes = row_weight_bytes(GetParam().format, 1, columns);
    std::vector<std::uint8_t> packed(static_cast<std::size_t>(panels * panel_bytes));
    for (std::int64_t p = 0; p < panels; ++p)
        ASSERT_TRUE(GetParam().pack(file.data() + static_cast<std::size_t>(p) * file.size() / 3,
                                    columns, packed.data() + p * panel_bytes));
    std::vector<Bf16Bits> x(96);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (Bf16Bits& bits : x)
        bits = static_cast<Bf16Bits>(std::bit_cast<std::uint32_t>(uniform(random_)) >> 16);
    std::vector<float> sums(3);
    sum_blocks(x.data(), columns, sums.data());
    std::vector<float> out(rows);
    multiply_row({GetParam().format, packed.data(), columns, panels}, {x.data(), sums.data()},
                 out.data(), 0, panels);
    for (std::size_t n = 0; n < rows; ++n) {
        double exact = 0;
        for (std::size_t k = 0; k < x.size(); ++k)
            exact += static_cast<double>(weights[n * 96 + k]) * static_cast<double>(float_of(x[k]));
        EXPECT_NEAR(out[n], exact, 1e-4) << n;
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, RowProducts,
                         testing::Values(Format{GgmlType::kQ4_0, RowFormat::kFour, pack_q4_0, 1},
                                         Format{GgmlType::kQ4_1, RowFormat::kFour, pack_q4_1, 2},
                                         Format{GgmlType::kQ8_0, RowFormat::kEight, pack_q8_0, 1}));

TEST(RowPacking, a_scale_whose_lowest_value_overflows_f16_is_refused) {
    std::vector<std::uint8_t> rows(16 * 18);
    std::vector<std::uint8_t> packed(kFourBlockBytes);
    EXPECT_TRUE(pack_q4_0(rows.data(), 32, packed.data()));  // all zero
    rows[1] = 0x78;                                          // 2^15
    EXPECT_FALSE(pack_q4_0(rows.data(), 32, packed.data()));
    rows[1] = 0x02;  // subnormal: its lowest value has another exponent rule
    EXPECT_FALSE(pack_q4_0(rows.data(), 32, packed.data()));
}

}  // namespace
}  // namespace mc::lm::test
