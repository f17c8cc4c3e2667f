// SPDX-License-Identifier: Apache-2.0
// The device's pooling and attention against what the program computes with today: gistnet::pool(),
// lm::attend() and the rotation of placed gists, on libtorch's tensors.
#include <gtest/gtest.h>

#include <numeric>

#include "gistnet/pooling/attention_pooler.h"
#include "lm/torch/attention.h"
#include "lm/torch/fused_ops.h"
#include "tests/cuda/both_orders.h"

namespace mc::cuda::test {
namespace {

const Bf16* bits(const at::Tensor& tensor) {
    return static_cast<const Bf16*>(tensor.const_data_ptr());
}

at::Tensor in_bf16(const std::vector<Bf16>& numbers, at::IntArrayRef sizes) {
    at::Tensor out = at::empty(sizes, at::kBFloat16);
    std::memcpy(out.data_ptr(), numbers.data(), numbers.size() * sizeof(Bf16));
    return out;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

// A window (B, H, S, D) in a longer cache, half of it gists with a log-mass, some of them absent.
struct Window {
    explicit Window(std::int64_t key_count) {
        at::manual_seed(3);
        const auto draw = [&] {
            return at::randn({2, 3, key_count + 9, 64}, at::kBFloat16).narrow(2, 0, key_count);
        };
        keys = draw();
        values = draw();
        const at::Tensor steps = at::randint(-64, 64, {2, 3, key_count + 9}) / 16;
        const at::Tensor is_gist = at::arange(key_count + 9) < key_count / 2;
        at::Tensor all = at::where(is_gist, steps, at::zeros_like(steps));
        all.masked_fill_((at::rand_like(all) < 0.2) & is_gist,
                         -std::numeric_limits<float>::infinity());
        all.select(2, 0).zero_();  // lm::attend() asks that every query sees a key
        log_mass = all.narrow(2, 0, key_count);
    }

    Attention attention(const at::Tensor& queries,
                        const std::vector<std::int64_t>& positions) const {
        return {bits(queries),
                bits(keys),
                bits(values),
                positions.data(),
                log_mass.const_data_ptr<float>(),
                2,
                queries.size(2),
                3,
                3,
                64,
                keys.stride(0),
                keys.stride(1),
                log_mass.stride(0),
                log_mass.stride(1),
                0.125F};
    }

    at::Tensor keys;
    at::Tensor values;
    at::Tensor log_mass;
};

// bf16's step at what weights of one sign make of values of a few units.
constexpr double kTolerance = 0.04;

TEST(TorchForms, attention_of_many_queries_is_that_of_the_program) {
    std::vector<std::int64_t> positions(90);
    std::iota(positions.begin(), positions.end(), 60);
    positions.back() = 170;  // tokens behind a gap
    const Window window(171);
    const at::Tensor queries = at::randn({2, 9, 90, 64}, at::kBFloat16);
    std::vector<Bf16> out(static_cast<std::size_t>(queries.numel()));
    run_in_both_orders(AttendTiles{window.attention(queries, positions), out.data()}, out);
    const at::Tensor expected =
        lm::attend(queries, window.keys, window.values, positions, window.log_mass);
    EXPECT_LT(largest_difference(in_bf16(out, expected.sizes()), expected), kTolerance);
}

TEST(TorchForms, attention_of_one_query_is_that_of_the_program) {
    const std::vector<std::int64_t> positions = {299};
    const Window window(300);
    const at::Tensor queries = at::randn({2, 9, 1, 64}, at::kBFloat16);
    AttendParts kernel{window.attention(queries, positions), {}, 300};
    std::vector<float> tops(2 * 9 * 2);
    std::vector<float> sums(tops.size());
    std::vector<float> values(tops.size() * 64);
    kernel.parts = {tops.data(), sums.data(), values.data()};
    run_in_both_orders(kernel, values);
    std::vector<Bf16> out(static_cast<std::size_t>(queries.numel()));
    run_in_both_orders(JoinParts{kernel.parts, out.data(), 6, kernel.part_count(), 3, 64}, out);
    const at::Tensor expected =
        lm::attend(queries, window.keys, window.values, positions, window.log_mass);
    EXPECT_LT(largest_difference(in_bf16(out, expected.sizes()), expected), kTolerance);
}

TEST(TorchForms, pooling_is_that_of_the_compressor) {
    at::manual_seed(4);
    gistnet::LevelParameters level =
        gistnet::initial_parameters({2, 3, 16, 0}, 4, 7);  // 4 queries, none of them zero
    for (const auto& [name, tensor] : level.named())
        *tensor = tensor->clone() + at::randn_like(*tensor) / 4;
    const at::Tensor keys = at::randn({5, 2, 3, kSlots, 16}, at::kBFloat16);
    const at::Tensor values = at::randn_like(keys);
    const gistnet::KeysValues expected = gistnet::pool(level, {keys, values});
    const at::Tensor out_keys = at::full({5, 2, 3, 16}, 99, at::kFloat);
    const at::Tensor out_values = at::full({5, 2, 3, 16}, 99, at::kFloat);
    const at::Tensor out_mass = at::full({5, 2, 3}, 99, at::kFloat);
    const PoolBlocks<Bf16> kernel{
        {level.queries.const_data_ptr<float>(), level.biases.const_data_ptr<float>(),
         level.key_map.const_data_ptr<float>(), level.value_map.const_data_ptr<float>(),
         level.mass_bias.const_data_ptr<float>(), level.mass_map.const_data_ptr<float>()},
        {keys.stride(0), 0, keys.stride(1), keys.stride(2), keys.stride(3), 1},
        bits(keys),
        bits(values),
        out_keys.data_ptr<float>(),
        out_values.data_ptr<float>(),
        out_mass.data_ptr<float>(),
        5,
        2,
        3,
        4,
        16};
    ASSERT_TRUE(check_limits(kernel));
    run_on_cpu(kernel);
    EXPECT_LT(largest_difference(out_keys, expected.keys), 1e-5);
    EXPECT_LT(largest_difference(out_values, expected.values), 1e-5);
    EXPECT_LT(largest_difference(out_mass, expected.log_mass), 1e-5);
}

TEST(TorchForms, gists_are_placed_as_the_program_places_them) {
    at::manual_seed(5);
    const at::Tensor keys = at::randn({3, 21, 64}).to(at::kHalf);  // heads, gists
    const at::Tensor angles = at::rand({40, 32}) * 6;
    const at::Tensor cosines = angles.cos();
    const at::Tensor sines = angles.sin();
    std::vector<std::int32_t> positions(21);
    std::iota(positions.begin(), positions.end(), 11);
    std::vector<Bf16> out(static_cast<std::size_t>(keys.numel()));
    run_in_both_orders(
        RotateRows<Half, Bf16>{static_cast<const Half*>(keys.const_data_ptr()), out.data(),
                               cosines.const_data_ptr<float>(), sines.const_data_ptr<float>(),
                               positions.data(), 3, 21, 32, 21 * 64, 64, 21 * 64, 64, false},
        out);
    const at::Tensor expected =
        lm::rotate_pairs(keys, cosines.narrow(0, 11, 21), sines.narrow(0, 11, 21))
            .to(at::kBFloat16);
    // Products of libtorch may be fused: at most a step of bf16 below 8.
    EXPECT_LE(largest_difference(in_bf16(out, expected.sizes()), expected), 0.032);
}

}  // namespace
}  // namespace mc::cuda::test
