// SPDX-License-Identifier: Apache-2.0
#include "lm/internal/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "core/check.h"
#include "lm/internal/cpu_kernels.h"

namespace mc::lm {
namespace {

// Queries of one block: their scores (three heads a group, 1,024 keys, bf16: 0.8 MB) should stay in
// the second-level cache, and the triangle above the diagonal that is computed for nothing grows
// with it.
constexpr std::int64_t kBlockQueries = 128;

// (T, S): 0 where a query sees the key, else -infinity.
at::Tensor causal_mask(std::span<const std::int64_t> positions, const at::Tensor& keys) {
    const at::Tensor at_positions =
        at::tensor(at::IntArrayRef(positions.data(), positions.size()), at::kLong);
    const at::Tensor hidden = at::arange(keys.size(2)).unsqueeze(0) > at_positions.unsqueeze(1);
    return at::zeros(hidden.sizes(), keys.scalar_type())
        .masked_fill_(hidden, -std::numeric_limits<float>::infinity())
        .to(keys.device());
}

at::Tensor attend_plain(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                        std::span<const std::int64_t> positions) {
    const bool is_dense = positions.front() == 0 && keys.size(2) == queries.size(2);
    const std::optional<at::Tensor> mask =
        is_dense ? std::nullopt : std::optional(causal_mask(positions, keys));
    return at::scaled_dot_product_attention(queries, keys, values, mask, 0.0, is_dense,
                                            std::nullopt, true)
        .transpose(1, 2)
        .reshape({queries.size(0) * queries.size(2), -1});
}

// One query a row: it sees every key, and the query heads of a group share theirs.
at::Tensor attend_one(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values) {
    const at::Tensor grouped = queries.view({queries.size(0), keys.size(1), -1, queries.size(3)});
    return at::scaled_dot_product_attention(grouped, keys, values).reshape({queries.size(0), -1});
}

// Queries [first, first + count) of one KV head's group of query heads (G, T, D) against its keys
// and values (S, D), into the group's columns of out (T, G × D).
void attend_block(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  std::span<const std::int64_t> positions, std::int64_t first, std::int64_t count,
                  const at::Tensor& out) {
    const std::int64_t group = queries.size(0);
    const std::int64_t dim = keys.size(1);
    const std::int64_t visible = positions[static_cast<std::size_t>(first + count - 1)] + 1;
    const std::int64_t rows = group * count;  // by query head of the group, then query
    const at::Tensor scores = at::mm(queries.narrow(1, first, count).reshape({rows, dim}),
                                     keys.narrow(0, 0, visible).t());
    std::vector<float> inverse_sums(static_cast<std::size_t>(rows));
    const bool is_bf16 = scores.scalar_type() == at::kBFloat16;
    const SoftmaxRows softmax{scores.data_ptr(),
                              inverse_sums.data(),
                              positions.data() + first,
                              count,
                              visible,
                              1.0F / std::sqrt(static_cast<float>(dim))};
    (is_bf16 ? causal_exponentials_bf16 : causal_exponentials_f32)(softmax, 0, rows);
    const at::Tensor sums = at::mm(scores, values.narrow(0, 0, visible));  // (G × count, D)
    const MergeRows merge{sums.const_data_ptr(),
                          inverse_sums.data(),
                          out.narrow(0, first, count).data_ptr(),
                          count,
                          group,
                          dim,
                          out.stride(0)};
    (is_bf16 ? merge_heads_bf16 : merge_heads_f32)(merge, 0, count);
}

bool has_blocked_form(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values) {
    const bool recorded =
        c10::GradMode::is_enabled() &&
        (queries.requires_grad() || keys.requires_grad() || values.requires_grad());
    const bool known =
        queries.scalar_type() == at::kFloat || queries.scalar_type() == at::kBFloat16;
    return queries.device().is_cpu() && known && !recorded;
}

at::Tensor attend_in_blocks(const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, std::span<const std::int64_t> positions) {
    const std::int64_t steps = queries.size(2);
    const std::int64_t kv_heads = keys.size(1);
    const std::int64_t group = queries.size(1) / kv_heads;
    const at::Tensor out =
        at::empty({queries.size(0), steps, queries.size(1) * queries.size(3)}, queries.options());
    const at::Tensor groups = queries.unflatten(1, {kv_heads, group});  // (B, H, G, T, D)
    const at::Tensor columns = out.unflatten(2, {kv_heads, -1});        // (B, T, H, G × D)
    const std::int64_t blocks = (steps + kBlockQueries - 1) / kBlockQueries;
    const bool inference = c10::InferenceMode::is_enabled();
    // One parallel region for all: threads meet once a layer, not at every product.
    at::parallel_for(
        0, queries.size(0) * kv_heads * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
            const c10::InferenceMode same_mode(inference);  // the mode is per thread
            for (std::int64_t task = begin; task < end; ++task) {
                const std::int64_t head = task / blocks % kv_heads;
                const std::int64_t batch = task / blocks / kv_heads;
                // Early blocks see few keys, late ones many: taken in turns they even out.
                const std::int64_t turn = task % blocks;
                const std::int64_t block = turn % 2 == 0 ? turn / 2 : blocks - 1 - turn / 2;
                const std::int64_t first = block * kBlockQueries;
                attend_block(groups.select(0, batch).select(0, head),
                             keys.select(0, batch).select(0, head),
                             values.select(0, batch).select(0, head), positions, first,
                             std::min(kBlockQueries, steps - first),
                             columns.select(0, batch).select(1, head));
            }
        });
    return out.flatten(0, 1);
}

}  // namespace

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  std::span<const std::int64_t> positions) {
    MC_DCHECK(positions.back() + 1 == keys.size(2), "keys end at the last query");
    if (queries.size(2) == 1) return attend_one(queries, keys, values);
    if (!has_blocked_form(queries, keys, values))
        return attend_plain(queries, keys, values, positions);
    return attend_in_blocks(queries, keys, values, positions);
}

}  // namespace mc::lm
