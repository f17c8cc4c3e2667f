// SPDX-License-Identifier: Apache-2.0
// The matrix products of the forward pass on tensors, with what follows each of them fused in.
//
// With packed weights, on rows of bf16 that autograd does not record, they run panel_kernels.h;
// else ATen on the plain weights. Both forms agree within rounding.
// Letters: N rows, K columns, M rows of a weight.
#pragma once

#include "lm/torch/torch_fence.h"

namespace mc::lm {

// One layer's weights as panel_kernels.h takes them; undefined where that form is not to be had.
struct LayerPanels {
    at::Tensor qkv;
    at::Tensor output;
    at::Tensor gate_up;
    at::Tensor down;
};

// Panels of a weight (M, K), or undefined: another device, dtype or processor, or an odd size.
at::Tensor pack_weight(const at::Tensor& weight);

// x (N, K) · weight (M, K) transposed.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& panels);

// The same, added to residual (N, M) f32 in place if possible, and then undefined is returned;
// else the product, which remains to be added.
at::Tensor product_onto(const at::Tensor& residual, const at::Tensor& x, const at::Tensor& weight,
                        const at::Tensor& panels);

// silu(x · first half of weight) × (x · second half): (N, M / 2).
at::Tensor gated_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& panels);

}  // namespace mc::lm
