// SPDX-License-Identifier: Apache-2.0
// The device's rotation against that of lm/kernels, bit for bit.
#include <gtest/gtest.h>

#include "lm/kernels/kernel_math.h"
#include "tests/cuda/both_orders.h"
#include "tests/lm/kernels/plain_numbers.h"

namespace mc::cuda::test {
namespace {

constexpr std::size_t kHeads = 3;
constexpr std::size_t kRows = 37;
constexpr std::size_t kPairs = 8;

std::vector<Bf16> wrapped(const std::vector<lm::Bf16Bits>& bits) {
    std::vector<Bf16> out;
    for (const lm::Bf16Bits one : bits) out.push_back({one});
    return out;
}

class RotateKernel : public testing::Test {
  protected:
    // Rows side by side, heads apart by two rows more.
    template <class From, class To>
    RotateRows<From, To> kernel_of(const From* from, To* to) const {
        const std::int64_t dim = 2 * kPairs;
        return {from,  to,     cosines_.data(),   sines_.data(), nullptr,     kHeads,
                kRows, kPairs, (kRows + 2) * dim, dim,           kRows * dim, dim,
                false};
    }

    lm::test::RandomNumbers random_;
    std::vector<float> cosines_ = random_.draw<float>(50 * kPairs);
    std::vector<float> sines_ = random_.draw<float>(50 * kPairs);
    std::vector<lm::Bf16Bits> keys_ =
        random_.draw<lm::Bf16Bits>((kHeads * (kRows + 2) - 2) * 2 * kPairs, -3, 3);
};

TEST_F(RotateKernel, a_shift_turns_all_rows_alike_forth_and_back) {
    const std::vector<Bf16> from = wrapped(keys_);
    for (const bool back : {false, true}) {
        std::vector<Bf16> to(kHeads * kRows * 2 * kPairs);
        auto kernel = kernel_of(from.data(), to.data());
        kernel.back = back;
        run_in_both_orders(kernel, to);
        std::vector<lm::Bf16Bits> exact(2 * kPairs);
        for (std::size_t i = 0; i < kHeads * kRows; ++i) {
            const lm::Bf16Bits* row = &keys_[(i + 2 * (i / kRows)) * 2 * kPairs];
            if (back)
                lm::rotate<true>(row, exact.data(), cosines_.data(), sines_.data(), kPairs);
            else
                lm::rotate<false>(row, exact.data(), cosines_.data(), sines_.data(), kPairs);
            for (std::size_t d = 0; d < exact.size(); ++d)
                ASSERT_EQ(to[i * exact.size() + d].bits, exact[d]) << "row " << i << ", " << d;
        }
    }
}

TEST_F(RotateKernel, gists_in_binary16_turn_to_their_own_positions) {
    std::vector<Half> from;
    for (const lm::Bf16Bits bits : keys_)
        from.push_back({storage::float_to_half(to_float(Bf16{bits}))});
    std::vector<std::int32_t> positions;
    for (std::size_t i = 0; i < kRows; ++i)
        positions.push_back(static_cast<std::int32_t>(i * 17 % 50));
    std::vector<float> to(kHeads * kRows * 2 * kPairs);
    auto kernel = kernel_of(from.data(), to.data());
    kernel.angle_rows = positions.data();
    run_in_both_orders(kernel, to);
    for (std::size_t i = 0; i < kHeads * kRows; ++i) {
        std::vector<float> row;
        for (std::size_t d = 0; d < 2 * kPairs; ++d)
            row.push_back(to_float(from[(i + 2 * (i / kRows)) * 2 * kPairs + d]));
        std::vector<float> exact(2 * kPairs);
        const auto at = static_cast<std::size_t>(positions[i % kRows]) * kPairs;
        lm::rotate<false>(row.data(), exact.data(), &cosines_[at], &sines_[at], kPairs);
        for (std::size_t d = 0; d < exact.size(); ++d)
            ASSERT_EQ(to[i * exact.size() + d], exact[d]) << "row " << i << ", " << d;
    }
}

TEST_F(RotateKernel, keys_turn_where_they_lie) {
    std::vector<Bf16> apart(kHeads * kRows * 2 * kPairs);
    std::vector<Bf16> in_place = wrapped(keys_);
    auto kernel = kernel_of(in_place.data(), apart.data());
    run_on_cpu(kernel);
    kernel.to = in_place.data();
    kernel.to_head_stride = kernel.from_head_stride;
    run_in_both_orders(kernel, in_place);
    for (std::size_t h = 0; h < kHeads; ++h)
        for (std::size_t i = 0; i < kRows * 2 * kPairs; ++i)
            ASSERT_EQ(in_place[h * (kRows + 2) * 2 * kPairs + i].bits,
                      apart[h * kRows * 2 * kPairs + i].bits);
}

TEST_F(RotateKernel, values_are_converted_and_not_turned) {
    const std::vector<Bf16> from = wrapped(keys_);
    std::vector<float> to(kHeads * kRows * 2 * kPairs);
    auto kernel = kernel_of(from.data(), to.data());
    kernel.cosines = nullptr;
    run_in_both_orders(kernel, to);
    for (std::size_t i = 0; i < to.size(); ++i)
        ASSERT_EQ(to[i], to_float(from[i + i / (kRows * 2 * kPairs) * 4 * kPairs]));
}

}  // namespace
}  // namespace mc::cuda::test
