// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/fused_ops.h"

#include <initializer_list>

#include "core/check.h"
#include "lm/kernels/cpu_kernels.h"

namespace mc::lm {
namespace {

// Rows that one thread takes at least: below it, waking a second thread costs more than it saves.
constexpr std::int64_t kRowsPerTask = 16;
constexpr std::int64_t kWeightRowsPerTask = 2048;

bool records_gradient(const at::Tensor& x) {
    return c10::GradMode::is_enabled() && x.defined() && x.requires_grad();
}

// Whether the CPU loops may run: everything on the CPU, contiguous, f32 or bf16, no gradients.
bool has_cpu_form(std::initializer_list<at::Tensor> inputs) {
    for (const at::Tensor& x : inputs) {
        if (!x.defined()) continue;
        const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
        if (!x.device().is_cpu() || !known || !x.is_contiguous() || records_gradient(x))
            return false;
    }
    return true;
}

bool is_bf16(const at::Tensor& x) {
    return x.scalar_type() == at::kBFloat16;
}

}  // namespace

at::Tensor rotate_pairs(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
    const at::Tensor pairs = x.to(at::kFloat).unflatten(-1, {-1, 2});
    const at::Tensor a = pairs.select(-1, 0);
    const at::Tensor b = pairs.select(-1, 1);
    return at::stack({a * cosines - b * sines, a * sines + b * cosines}, -1).flatten(-2);
}

at::Tensor add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight,
                        double epsilon, at::ScalarType dtype) {
    const bool same_dtype = !delta.defined() || delta.scalar_type() == dtype;
    if (!same_dtype || !has_cpu_form({residual, delta, weight})) {
        if (delta.defined()) residual = residual + delta;
        const at::Tensor scale = (residual.square().mean(-1, true) + epsilon).rsqrt();
        return (residual * scale * weight).to(dtype);
    }
    at::Tensor out = at::empty_like(residual, residual.options().dtype(dtype));
    const NormRows rows{residual.data_ptr<float>(),
                        delta.defined() ? delta.const_data_ptr() : nullptr,
                        weight.const_data_ptr<float>(),
                        out.data_ptr(),
                        residual.size(-1),
                        static_cast<float>(epsilon)};
    const auto kernel = dtype == at::kBFloat16 ? add_rms_norm_bf16 : add_rms_norm_f32;
    at::parallel_for(0, residual.numel() / residual.size(-1), kRowsPerTask,
                     [&](std::int64_t begin, std::int64_t end) { kernel(rows, begin, end); });
    return out;
}

at::Tensor silu_mul(const at::Tensor& gate_up) {
    const std::int64_t width = gate_up.size(-1) / 2;
    if (!has_cpu_form({gate_up})) {
        return at::silu(gate_up.narrow(-1, 0, width)) * gate_up.narrow(-1, width, width);
    }
    at::Tensor out = at::empty({gate_up.size(0), width}, gate_up.options());
    const SiluRows rows{gate_up.const_data_ptr(), out.data_ptr(), width};
    const auto kernel = is_bf16(gate_up) ? silu_mul_bf16 : silu_mul_f32;
    at::parallel_for(0, gate_up.size(0), kRowsPerTask,
                     [&](std::int64_t begin, std::int64_t end) { kernel(rows, begin, end); });
    return out;
}

namespace {

// split_and_rotate in ATen operations.
at::Tensor split_and_rotate_plain(const at::Tensor& qkv, const RopeTable& rope,
                                  const at::Tensor& positions, at::Tensor& keys,
                                  at::Tensor& values) {
    const std::int64_t dim = keys.size(-1);
    const std::int64_t kv_heads = keys.size(1);
    const at::Tensor heads = qkv.unflatten(-1, {-1, dim}).transpose(1, 2);  // (B, Hq + 2H, T, D)
    const std::int64_t query_heads = heads.size(1) - 2 * kv_heads;
    const at::Tensor index = positions.to(qkv.device());
    const at::Tensor rotated =
        rotate_pairs(heads.narrow(1, 0, query_heads + kv_heads),
                     rope.cosines.index_select(0, index), rope.sines.index_select(0, index))
            .to(qkv.scalar_type());
    keys.index_copy_(2, index, rotated.narrow(1, query_heads, kv_heads));
    values.index_copy_(2, index, heads.narrow(1, query_heads + kv_heads, kv_heads));
    return rotated.narrow(1, 0, query_heads);
}

}  // namespace

at::Tensor split_and_rotate(const at::Tensor& qkv, const RopeTable& rope,
                            const at::Tensor& positions, at::Tensor& keys, at::Tensor& values) {
    MC_DCHECK(keys.stride(-1) == 1 && keys.strides() == values.strides(), "cache layout");
    const bool fast = has_cpu_form({qkv, rope.cosines, rope.sines}) && keys.device().is_cpu() &&
                      !records_gradient(keys) && keys.scalar_type() == qkv.scalar_type();
    if (!fast) return split_and_rotate_plain(qkv, rope, positions, keys, values);
    const std::int64_t dim = keys.size(-1);
    const std::int64_t kv_heads = keys.size(1);
    const std::int64_t query_heads = qkv.size(-1) / dim - 2 * kv_heads;
    at::Tensor queries = at::empty({qkv.size(0), query_heads, qkv.size(1), dim}, qkv.options());
    const SplitRows rows{qkv.const_data_ptr(),
                         rope.cosines.const_data_ptr<float>(),
                         rope.sines.const_data_ptr<float>(),
                         positions.const_data_ptr<std::int64_t>(),
                         queries.data_ptr(),
                         keys.data_ptr(),
                         values.data_ptr(),
                         qkv.size(1),
                         query_heads,
                         kv_heads,
                         dim,
                         keys.stride(0),
                         keys.stride(1)};
    const auto kernel = is_bf16(qkv) ? split_and_rotate_bf16 : split_and_rotate_f32;
    at::parallel_for(0, qkv.size(0) * qkv.size(1), kRowsPerTask,
                     [&](std::int64_t begin, std::int64_t end) { kernel(rows, begin, end); });
    return queries;
}

LogitReduction reduce_logits(const at::Tensor& logits, bool with_entropy) {
    LogitReduction out;
    if (!has_cpu_form({logits})) {
        const at::Tensor x = logits.to(at::kFloat);
        out.log_sum_exp = at::logsumexp(x, -1);
        if (with_entropy) out.entropy = out.log_sum_exp - (at::softmax(x, -1) * x).sum(-1);
        return out;
    }
    out.log_sum_exp = at::empty({logits.size(0)}, at::kFloat);
    if (with_entropy) out.entropy = at::empty({logits.size(0)}, at::kFloat);
    const LogitRows rows{logits.const_data_ptr(), out.log_sum_exp.data_ptr<float>(),
                         with_entropy ? out.entropy.data_ptr<float>() : nullptr, logits.size(-1)};
    const auto kernel = is_bf16(logits) ? reduce_logits_bf16 : reduce_logits_f32;
    at::parallel_for(0, logits.size(0), 1,
                     [&](std::int64_t begin, std::int64_t end) { kernel(rows, begin, end); });
    return out;
}

at::Tensor precise_product(const at::Tensor& x, const at::Tensor& weight) {
    if (!has_cpu_form({x, weight}) || !is_bf16(weight))
        return at::linear(x.to(at::kFloat), weight.to(at::kFloat));
    const at::Tensor rows = x.to(at::kFloat).contiguous();
    at::Tensor out = at::empty({rows.size(0), weight.size(0)}, at::kFloat);
    const auto* bits = static_cast<const Bf16Bits*>(weight.const_data_ptr());
    for (std::int64_t n = 0; n < rows.size(0); ++n) {
        const float* row = rows.const_data_ptr<float>() + n * rows.size(1);
        float* result = out.data_ptr<float>() + n * out.size(1);
        at::parallel_for(0, weight.size(0), kWeightRowsPerTask,
                         [&](std::int64_t begin, std::int64_t end) {
                             row_products_bf16(bits, row, result, rows.size(1), begin, end);
                         });
    }
    return out;
}

}  // namespace mc::lm
