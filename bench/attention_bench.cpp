// SPDX-License-Identifier: Apache-2.0
// Attention in tiles, of a whole prompt and after a cached prefix, and of one query.
#include <algorithm>
#include <numeric>
#include <vector>

#include "bench/contest.h"
#include "bench/shapes.h"
#include "lm/kernels/cpu_kernels.h"
#include "lm/kernels/row_kernels.h"
#include "lm/torch/attention.h"

namespace mc::bench {
namespace {

struct Heads {
    at::Tensor queries;  // (1, Hq, T, D)
    at::Tensor keys;     // (1, H, S, D)
    at::Tensor values;
};

Heads random_heads(std::int64_t steps, std::int64_t key_count) {
    const auto random = [](std::int64_t heads, std::int64_t rows) {
        return at::randn({1, heads, rows, kHeadDim}).to(at::kBFloat16);
    };
    return {random(kQueryHeads, steps), random(kKvHeads, key_count), random(kKvHeads, key_count)};
}

// The queries stand at the end of the keys.
Contest tile_contest(std::int64_t steps, std::int64_t key_count) {
    const Heads heads = random_heads(steps, key_count);
    std::vector<std::int64_t> positions(static_cast<std::size_t>(steps));
    std::iota(positions.begin(), positions.end(), key_count - steps);
    Contest out;
    out.ours = [=] { return lm::attend(heads.queries, heads.keys, heads.values, positions); };
    const at::Tensor seen =
        at::arange(key_count).unsqueeze(0) <= at::arange(key_count - steps, key_count).unsqueeze(1);
    out.plain = [=] {
        const bool is_dense = steps == key_count;
        return at::scaled_dot_product_attention(heads.queries, heads.keys, heads.values,
                                                is_dense ? std::nullopt : std::optional(seen), 0.0,
                                                is_dense, std::nullopt, true)
            .transpose(1, 2)
            .reshape({steps, -1});
    };
    const double seen_count = static_cast<double>(steps) *
                              (static_cast<double>(key_count) - static_cast<double>(steps - 1) / 2);
    out.work = 4.0 * seen_count * static_cast<double>(kQueryHeads * kHeadDim);
    return out;
}

const lm::Bf16Bits* bits(const at::Tensor& tensor) {
    return static_cast<const lm::Bf16Bits*>(tensor.const_data_ptr());
}

// Decode's attention on one thread, beside libtorch's on all.
Contest query_contest(std::int64_t key_count) {
    const Heads heads = random_heads(1, key_count);
    const std::int64_t group = kQueryHeads / kKvHeads;
    Contest out;
    out.ours = [=, scores =
                       std::vector<float>(static_cast<std::size_t>(group * key_count))]() mutable {
        const at::Tensor partial = at::empty({2 + kHeadDim, kQueryHeads});
        auto* tops = partial.data_ptr<float>();
        at::Tensor result = at::empty({1, kQueryHeads * kHeadDim}, at::kBFloat16);
        const lm::PartialAttention all{tops, tops + kQueryHeads, tops + 2 * kQueryHeads};
        for (std::int64_t h = 0; h < kKvHeads; ++h) {
            const std::int64_t first = h * group;
            lm::attend_row(bits(heads.queries) + first * kHeadDim, group,
                           bits(heads.keys) + h * key_count * kHeadDim,
                           bits(heads.values) + h * key_count * kHeadDim, nullptr, key_count,
                           kHeadDim, scores.data(),
                           {all.tops + first, all.sums + first, all.values + first * kHeadDim});
        }
        auto* to = static_cast<lm::Bf16Bits*>(result.data_ptr());
        for (std::int64_t h = 0; h < kQueryHeads; ++h)
            lm::join_attention(all, h, 1, kQueryHeads, kHeadDim, to + h * kHeadDim);
        return result;
    };
    out.plain = [=] {
        const at::Tensor grouped = heads.queries.view({1, kKvHeads, group, kHeadDim});
        return at::scaled_dot_product_attention(grouped, heads.keys, heads.values).reshape({1, -1});
    };
    out.unit = Unit::kBytes;
    out.work = static_cast<double>(2 * kKvHeads * key_count * kHeadDim * 2);
    return out;
}

}  // namespace

void add_attention_contests() {
    for (const std::int64_t steps : {32, 512, 2048})
        add_contest("attention/" + std::to_string(steps),
                    [steps] { return tile_contest(steps, steps); });
    add_contest("attention/128_after_1920", [] { return tile_contest(128, 2048); });
    for (const std::int64_t key_count : {512, 4096})
        add_contest("query_attention/" + std::to_string(key_count),
                    [key_count] { return query_contest(key_count); });
}

}  // namespace mc::bench
