// SPDX-License-Identifier: Apache-2.0
// AdamW (Loshchilov and Hutter 2019) without weight decay, in f32, with gradient clipping by the
// global norm. Deterministic: equal gradients give equal bits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lm/torch/torch_fence.h"

namespace mc::gistnet {

struct AdamSlot {
    at::Tensor parameter;      // changed in place
    double learning_rate = 0;  // before the schedule's factor
    at::Tensor first_moment;   // as parameter
    at::Tensor second_moment;  // as parameter
};

struct AdamOptions {
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double gradient_norm_max = 1.0;
};

// The gradients that autograd left in the slots' parameters, in their order; the parameters have
// none afterwards.
std::vector<at::Tensor> take_gradients(std::span<AdamSlot> slots);

// One step of number `step` (1 for the first) with gradients in the order of slots, the learning
// rates times rate_factor. Returns the gradients' global norm before clipping. A step whose norm is
// not finite changes nothing.
double adam_step(std::span<AdamSlot> slots, std::span<const at::Tensor> gradients,
                 std::uint64_t step, double rate_factor, const AdamOptions& options);

}  // namespace mc::gistnet
