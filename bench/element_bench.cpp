// SPDX-License-Identifier: Apache-2.0
// The element-wise steps of a layer: bytes that they have to read and write at least.
#include "bench/contest.h"
#include "bench/shapes.h"
#include "lm/torch/fused_ops.h"

namespace mc::bench {
namespace {

constexpr double kEpsilon = 1e-5;

at::Tensor random_bf16(at::IntArrayRef sizes) {
    return at::randn(sizes).to(at::kBFloat16);
}

Contest norm_contest(std::int64_t rows) {
    const at::Tensor residual = at::randn({rows, kWidth});
    const at::Tensor delta = random_bf16({rows, kWidth});
    const at::Tensor weight = at::rand({kWidth}) + 0.5;
    Contest out;
    out.ours = [=, own = residual.clone()]() mutable {
        return lm::add_rms_norm(own, delta, weight, kEpsilon, at::kBFloat16);
    };
    out.plain = [=, own = residual.clone()]() mutable {
        own = own + delta;
        const at::Tensor scale = (own.square().mean(-1, true) + kEpsilon).rsqrt();
        return (own * scale * weight).to(at::kBFloat16);
    };
    out.unit = Unit::kBytes;
    out.work = static_cast<double>(rows * kWidth * (4 + 4 + 2 + 2));
    return out;
}

Contest silu_contest(std::int64_t rows) {
    const at::Tensor gate_up = random_bf16({rows, 2 * kFfn});
    Contest out;
    out.ours = [=] { return lm::silu_mul(gate_up); };
    out.plain = [=] {
        return at::silu(gate_up.narrow(1, 0, kFfn)) * gate_up.narrow(1, kFfn, kFfn);
    };
    out.unit = Unit::kBytes;
    out.work = static_cast<double>(rows * kFfn * (4 + 2));
    return out;
}

Contest split_contest(std::int64_t rows) {
    const at::Tensor angles = at::rand({rows, kHeadDim / 2}) * 6;
    const lm::RopeTable rope{angles.cos(), angles.sin()};
    const at::Tensor positions = at::arange(rows);
    const at::Tensor qkv = random_bf16({1, rows, kProjected});
    const auto cache = [&] { return at::zeros({1, kKvHeads, rows, kHeadDim}, at::kBFloat16); };
    Contest out;
    out.ours = [=, keys = cache(), values = cache()]() mutable {
        return lm::split_and_rotate(qkv, rope, positions, keys, values);
    };
    out.plain = [=, keys = cache(), values = cache()]() mutable {
        const at::Tensor heads = qkv.unflatten(-1, {-1, kHeadDim}).transpose(1, 2);
        const at::Tensor turned =
            lm::rotate_pairs(heads.narrow(1, 0, kQueryHeads + kKvHeads), rope.cosines, rope.sines)
                .to(at::kBFloat16);
        keys.index_copy_(2, positions, turned.narrow(1, kQueryHeads, kKvHeads));
        values.index_copy_(2, positions, heads.narrow(1, kQueryHeads + kKvHeads, kKvHeads));
        return turned.narrow(1, 0, kQueryHeads);
    };
    out.unit = Unit::kBytes;
    out.work = static_cast<double>(rows * (kProjected * (2 + 2) + kHeadDim * 4));
    return out;
}

}  // namespace

void add_element_contests() {
    for (const std::int64_t rows : {32, 512, 2048}) {
        const std::string suffix = "/" + std::to_string(rows);
        add_contest("norm" + suffix, [rows] { return norm_contest(rows); });
        add_contest("silu_mul" + suffix, [rows] { return silu_contest(rows); });
        add_contest("split_and_rotate" + suffix, [rows] { return split_contest(rows); });
    }
}

}  // namespace mc::bench
