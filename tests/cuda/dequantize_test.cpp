// SPDX-License-Identifier: Apache-2.0
// The device's decoding of weights against formats/dequantize.cpp, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tests/cuda/both_orders.h"

namespace mc::cuda::test {
namespace {

constexpr lm::GgmlType kTypes[] = {lm::GgmlType::kF32,  lm::GgmlType::kF16,  lm::GgmlType::kBF16,
                                   lm::GgmlType::kQ4_0, lm::GgmlType::kQ4_1, lm::GgmlType::kQ5_0,
                                   lm::GgmlType::kQ5_1, lm::GgmlType::kQ8_0, lm::GgmlType::kQ4_K,
                                   lm::GgmlType::kQ5_K, lm::GgmlType::kQ6_K};

class DequantizeKernel : public testing::TestWithParam<lm::GgmlType> {
  protected:
    // Random bytes are scales of every size, subnormal, infinite and NaN too. The last block of
    // threads is not full.
    DequantizeKernel() {
        std::mt19937 random(11);
        block_ = lm::ggml_block(GetParam());
        bytes_.resize(5 * 256 / block_.element_count * std::size_t{block_.size_bytes});
        for (std::byte& byte : bytes_) byte = static_cast<std::byte>(random());
    }

    std::int64_t count() const {
        return static_cast<std::int64_t>(bytes_.size() / block_.size_bytes * block_.element_count);
    }

    Bytes blocks() const { return reinterpret_cast<Bytes>(bytes_.data()); }

    std::vector<float> expected() const {
        return lm::dequantize({"t", GetParam(), {static_cast<std::uint64_t>(count())}, bytes_})
            .value();
    }

    lm::GgmlBlock block_;
    std::vector<std::byte> bytes_;
};

TEST_P(DequantizeKernel, gives_the_bits_of_the_reader_of_files) {
    std::vector<float> out(static_cast<std::size_t>(count()), 7);
    with_format(GetParam(), [&](auto format) {
        using Format = decltype(format);
        EXPECT_EQ(static_cast<std::uint32_t>(Format::kBytes), block_.size_bytes);
        EXPECT_EQ(static_cast<std::uint32_t>(Format::kElements), block_.element_count);
        run_in_both_orders(Dequantize<Format, float>{blocks(), out.data(), count()}, out);
    });
    const std::vector<float> exact = expected();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (std::isnan(exact[i]))
            ASSERT_TRUE(std::isnan(out[i])) << "element " << i;
        else
            ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(exact[i]))
                << "element " << i;
    }
}

TEST_P(DequantizeKernel, rounds_to_the_nearest_bf16) {
    std::vector<Bf16> out(static_cast<std::size_t>(count()), Bf16{7});
    with_format(GetParam(), [&](auto format) {
        run_in_both_orders(Dequantize<decltype(format), Bf16>{blocks(), out.data(), count()}, out);
    });
    const std::vector<float> exact = expected();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!std::isfinite(exact[i])) continue;
        const float rounded = to_float(out[i]);
        const auto near = [&](int step) {
            return to_float(Bf16{static_cast<std::uint16_t>(out[i].bits + step)});
        };
        // No neighbour is nearer (the neighbours of 0 and infinity are left out).
        if (rounded == 0 || !std::isfinite(near(1))) continue;
        const double off = std::abs(double{rounded} - double{exact[i]});
        ASSERT_LE(off, std::abs(double{near(1)} - double{exact[i]})) << exact[i];
        ASSERT_LE(off, std::abs(double{near(-1)} - double{exact[i]})) << exact[i];
    }
}

INSTANTIATE_TEST_SUITE_P(Types, DequantizeKernel, testing::ValuesIn(kTypes), [](const auto& type) {
    return std::string(lm::ggml_type_name(type.param));
});

TEST(Rounding, of_two_that_are_as_near_the_even_one_is_taken) {
    const auto rounded = [](std::uint32_t bits) {
        return from_float<Bf16>(std::bit_cast<float>(bits)).bits;
    };
    EXPECT_EQ(rounded(0x3f808000U), 0x3f80);
    EXPECT_EQ(rounded(0x3f818000U), 0x3f82);
    EXPECT_EQ(rounded(0x3f808001U), 0x3f81);
    EXPECT_EQ(rounded(0x7f7fffffU), 0x7f80);  // the largest float is nearest to infinity
}

}  // namespace
}  // namespace mc::cuda::test
