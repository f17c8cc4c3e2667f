// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "core/check.h"
#include "lm/kernels/attention_kernels.h"
#include "lm/kernels/panel_kernels.h"

namespace mc::lm {
namespace {

// (T, S): 0 where a query sees the key, else -infinity.
at::Tensor causal_mask(std::span<const std::int64_t> positions, const at::Tensor& keys) {
    const at::Tensor at_positions =
        at::tensor(at::IntArrayRef(positions.data(), positions.size()), at::kLong);
    const at::Tensor hidden = at::arange(keys.size(2)).unsqueeze(0) > at_positions.unsqueeze(1);
    return at::zeros(hidden.sizes(), keys.scalar_type())
        .masked_fill_(hidden, -std::numeric_limits<float>::infinity())
        .to(keys.device());
}

// (B, H, 1, S) in the keys' type.
at::Tensor as_mask(const at::Tensor& log_mass, const at::Tensor& keys) {
    return log_mass.unsqueeze(2).to(keys.scalar_type());
}

at::Tensor attend_plain(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                        std::span<const std::int64_t> positions, const at::Tensor& log_mass) {
    const bool is_dense =
        positions.front() == 0 && keys.size(2) == queries.size(2) && !log_mass.defined();
    std::optional<at::Tensor> mask =
        is_dense ? std::nullopt : std::optional(causal_mask(positions, keys));
    if (log_mass.defined())
        mask = *mask + as_mask(log_mass, keys)
                           .repeat_interleave(queries.size(1) / keys.size(1), 1);  // (B, Hq, T, S)
    return at::scaled_dot_product_attention(queries, keys, values, mask, 0.0, is_dense,
                                            std::nullopt, true)
        .transpose(1, 2)
        .reshape({queries.size(0) * queries.size(2), -1});
}

// One query a row: it sees every key, and the query heads of a group share theirs.
at::Tensor attend_one(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                      const at::Tensor& log_mass) {
    const at::Tensor grouped = queries.view({queries.size(0), keys.size(1), -1, queries.size(3)});
    std::optional<at::Tensor> mask;
    if (log_mass.defined()) mask = as_mask(log_mass, keys).expand({-1, -1, grouped.size(2), -1});
    return at::scaled_dot_product_attention(grouped, keys, values, mask)
        .reshape({queries.size(0), -1});
}

bool has_tiled_form(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                    const at::Tensor& log_mass) {
    const bool recorded =
        c10::GradMode::is_enabled() &&
        (queries.requires_grad() || keys.requires_grad() || values.requires_grad() ||
         (log_mass.defined() && log_mass.requires_grad()));
    const bool rows_apart =
        keys.stride(3) == 1 && keys.stride(2) == keys.size(3) && values.strides() == keys.strides();
    return queries.device().is_cpu() && queries.scalar_type() == at::kBFloat16 && !recorded &&
           rows_apart && queries.is_contiguous() && queries.size(3) % kKeysPerGroup == 0 &&
           has_panel_kernels();
}

Bf16Bits* bits(const at::Tensor& tensor) {
    return static_cast<Bf16Bits*>(tensor.data_ptr());
}

// Keys and values (B, H, S, D) of every head in panels, in one buffer.
class PackedHeads {
  public:
    PackedHeads(const at::Tensor& keys, const at::Tensor& values)
        : groups_((keys.size(2) + kKeysPerGroup - 1) / kKeysPerGroup),
          head_size_(groups_ * kKeysPerGroup * keys.size(3)),
          heads_(keys.size(1)),
          buffer_(at::empty({2, keys.size(0) * heads_ * head_size_}, keys.options())) {
        const std::int64_t count = keys.size(0) * heads_;
        at::parallel_for(0, count * groups_, 8, [&](std::int64_t begin, std::int64_t end) {
            while (begin < end) {
                const std::int64_t head = begin / groups_;
                const std::int64_t stop = std::min(end, (head + 1) * groups_);
                const std::int64_t at =
                    head / heads_ * keys.stride(0) + head % heads_ * keys.stride(1);
                pack_head(bits(keys) + at, bits(values) + at, keys.size(2), keys.size(3), of(head),
                          begin - head * groups_, stop - head * groups_);
                begin = stop;
            }
        });
    }

    // Head b × H + h.
    HeadPanels of(std::int64_t head) const {
        Bf16Bits* first = bits(buffer_) + head * head_size_;
        return {first, first + buffer_.size(1)};
    }

  private:
    std::int64_t groups_;
    std::int64_t head_size_;
    std::int64_t heads_;
    at::Tensor buffer_;  // (2, B × H × head_size)
};

at::Tensor attend_in_tiles(const at::Tensor& queries, const at::Tensor& keys,
                           const at::Tensor& values, std::span<const std::int64_t> positions,
                           const at::Tensor& log_mass) {
    const std::int64_t steps = queries.size(2);
    const std::int64_t dim = queries.size(3);
    const std::int64_t kv_heads = keys.size(1);
    const std::int64_t group = queries.size(1) / kv_heads;
    const at::Tensor out =
        at::empty({queries.size(0) * steps, queries.size(1) * dim}, queries.options());
    const PackedHeads packed(keys, values);
    const std::int64_t tiles = (steps + kTileQueries - 1) / kTileQueries;
    const std::int64_t tasks = queries.size(0) * kv_heads * tiles;
    at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t head = task / tiles;  // b × H + h
            const std::int64_t batch = head / kv_heads;
            // Early tiles see few keys, late ones many: taken in turns they even out.
            const std::int64_t turn = task % tiles;
            const std::int64_t first =
                (turn % 2 == 0 ? turn / 2 : tiles - 1 - turn / 2) * kTileQueries;
            const AttentionTile tile{
                bits(queries) + head * group * steps * dim,
                positions.data(),
                packed.of(head),
                log_mass.defined() ? log_mass.const_data_ptr<float>() + batch * log_mass.stride(0) +
                                         head % kv_heads * log_mass.stride(1)
                                   : nullptr,
                bits(out) + batch * steps * out.size(1) + head % kv_heads * group * dim,
                steps,
                group,
                dim,
                out.size(1),
                1.0F / std::sqrt(static_cast<float>(dim))};
            attend_tile(tile, first, std::min(kTileQueries, steps - first));
        }
    });
    return out;
}

}  // namespace

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  std::span<const std::int64_t> positions, const at::Tensor& log_mass) {
    MC_DCHECK(positions.back() + 1 == keys.size(2), "keys end at the last query");
    if (queries.size(2) == 1) return attend_one(queries, keys, values, log_mass);
    if (!has_tiled_form(queries, keys, values, log_mass))
        return attend_plain(queries, keys, values, positions, log_mass);
    return attend_in_tiles(queries, keys, values, positions, log_mass);
}

}  // namespace mc::lm
