// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/adamw.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace mc::gistnet {

std::vector<at::Tensor> take_gradients(std::span<AdamSlot> slots) {
    std::vector<at::Tensor> gradients;
    for (AdamSlot& slot : slots) {
        gradients.push_back(slot.parameter.grad().clone());
        slot.parameter.mutable_grad().reset();
    }
    return gradients;
}

double adam_step(std::span<AdamSlot> slots, std::span<const at::Tensor> gradients,
                 std::uint64_t step, double rate_factor, const AdamOptions& options) {
    MC_CHECK(slots.size() == gradients.size() && step > 0, "one gradient per parameter");
    double squares = 0;
    for (const at::Tensor& gradient : gradients)
        squares += gradient.square().sum(at::kDouble).item<double>();
    const double norm = std::sqrt(squares);
    if (!std::isfinite(norm)) return norm;
    const double clip = std::min(1.0, options.gradient_norm_max / std::max(norm, 1e-12));
    const auto n = static_cast<double>(step);
    const double correction1 = 1 - std::pow(options.beta1, n);
    const double correction2 = 1 - std::pow(options.beta2, n);
    for (std::size_t i = 0; i < slots.size(); ++i) {
        AdamSlot& slot = slots[i];
        const at::Tensor gradient = gradients[i] * clip;
        slot.first_moment.mul_(options.beta1).add_(gradient, 1 - options.beta1);
        slot.second_moment.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
        const at::Tensor scale = (slot.second_moment / correction2).sqrt_().add_(options.epsilon);
        slot.parameter.addcdiv_(slot.first_moment, scale,
                                -slot.learning_rate * rate_factor / correction1);
    }
    return norm;
}

}  // namespace mc::gistnet
