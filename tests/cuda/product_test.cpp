// SPDX-License-Identifier: Apache-2.0
// A row times weights in each format against the dequantised weights in f64.
#include <gtest/gtest.h>

#include <random>

#include "cuda/check/kernel_checks.h"
#include "tests/cuda/both_orders.h"

namespace mc::cuda::test {
namespace {

constexpr int kRowWeights = 768;  // three blocks of 256: no multiple of what a warp takes at once
constexpr std::int64_t kRowCount = 13;  // the last block of threads is not full

class MultiplyRowKernel : public testing::TestWithParam<lm::GgmlType> {};

TEST_P(MultiplyRowKernel, is_the_product_with_the_weights_that_the_file_means) {
    std::mt19937 random(6);
    const lm::GgmlBlock block = lm::ggml_block(GetParam());
    // Random quants under scales between 2^-7 and 2^-3; formats of plain numbers have those.
    std::vector<float> numbers(kRowCount * kRowWeights);
    for (float& x : numbers) x = std::uniform_real_distribution<float>(-1, 1)(random);
    std::vector<std::byte> bytes(numbers.size() / block.element_count * block.size_bytes);
    with_format(GetParam(), [&](auto format) {
        using Format = decltype(format);
        for (std::size_t i = 0; i < bytes.size() / block.size_bytes; ++i) {
            std::byte* to = &bytes[i * block.size_bytes];
            for (std::size_t b = 0; b < block.size_bytes; ++b)
                to[b] = static_cast<std::byte>(random());
            const std::uint16_t half = storage::float_to_half(0.01F + 0.1F * std::abs(numbers[i]));
            const std::uint32_t single = std::bit_cast<std::uint32_t>(numbers[i]);
            const auto put = [&](std::size_t at, auto number) {
                std::memcpy(to + at, &number, sizeof number);
            };
            if constexpr (Format::kElements == 1) {
                if (Format::kBytes == 4) put(0, single);
                if (std::is_same_v<Format, F16>) put(0, storage::float_to_half(numbers[i]));
                if (std::is_same_v<Format, B16>) put(0, static_cast<std::uint16_t>(single >> 16));
            } else if constexpr (std::is_same_v<Format, Q6_K>) {
                put(208, half);
            } else {
                put(0, half);
                const bool has_minimum = !std::is_same_v<Format, Q4_0> &&
                                         !std::is_same_v<Format, Q5_0> &&
                                         !std::is_same_v<Format, Q8_0>;
                if (has_minimum) put(2, half);
            }
        }
        const std::vector<Bf16> x = drawn<Bf16>(kRowWeights, 1, 9);
        std::vector<float> out(kRowCount, 99);
        run_in_both_orders(MultiplyRow<Format>{reinterpret_cast<Bytes>(bytes.data()), x.data(),
                                               out.data(), kRowCount, kRowWeights},
                           out);
        const std::vector<float> weights =
            lm::dequantize({"t", GetParam(), {kRowWeights, kRowCount}, bytes}).value();
        for (std::size_t row = 0; row < out.size(); ++row) {
            double exact = 0;
            double size = 0;  // of what was summed
            for (std::size_t i = 0; i < kRowWeights; ++i) {
                const double term = double{weights[row * kRowWeights + i]} * double{to_float(x[i])};
                exact += term;
                size += std::abs(term);
            }
            EXPECT_GT(size, 1);
            EXPECT_NEAR(out[row], exact, 1e-6 * size) << "row " << row;
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Types, MultiplyRowKernel, testing::ValuesIn(kWeightTypes),
                         [](const auto& type) {
                             return std::string(lm::ggml_type_name(type.param));
                         });

}  // namespace
}  // namespace mc::cuda::test
