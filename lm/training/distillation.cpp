// SPDX-License-Identifier: Apache-2.0
#include "lm/training/distillation.h"

#include <algorithm>
#include <vector>

#include "lm/kernels/training_kernels.h"

namespace mc::lm {
namespace {

// Logits of 128 rows of a 49,152-word vocabulary are 12 MB in bf16.
constexpr std::int64_t kRowsPerPass = 128;

static_assert(kTeacherTokens <= kDistillationTopMax);

}  // namespace

TeacherPrediction predict_as_teacher(const TorchModel& model, const at::Tensor& hidden,
                                     const at::Tensor& targets) {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> tokens;
    std::vector<at::Tensor> probabilities;
    std::vector<at::Tensor> nll;
    const std::int64_t kept = std::min<std::int64_t>(kTeacherTokens, model.weights.head.size(0));
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += kRowsPerPass) {
        const std::int64_t count = std::min(kRowsPerPass, hidden.size(0) - begin);
        const at::Tensor logits = at::linear(hidden.narrow(0, begin, count), model.weights.head);
        const at::Tensor log_sum = reduce_logits(logits, false).log_sum_exp.unsqueeze(1);
        const auto [values, ids] = at::topk(logits, kept);
        const at::Tensor chosen =
            logits.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).to(at::kFloat);
        nll.push_back((log_sum - chosen).squeeze(1));
        tokens.push_back(ids);
        probabilities.push_back((values.to(at::kFloat) - log_sum).exp());
    }
    return {at::cat(nll), at::cat(tokens), at::cat(probabilities), targets};
}

DistillationLoss distil(const TorchModel& model, const at::Tensor& hidden,
                        const TeacherPrediction& teacher, const at::Tensor& weights,
                        double kl_weight) {
    at::NoGradGuard no_grad;
    const std::int64_t total = hidden.size(0);
    const at::Tensor divergence = at::empty({total}, at::kFloat);
    const at::Tensor nll = at::empty({total}, at::kFloat);
    const at::Tensor scales = (weights / weights.sum()).contiguous();
    std::vector<at::Tensor> gradients;
    for (std::int64_t begin = 0; begin < total; begin += kRowsPerPass) {
        const std::int64_t count = std::min(kRowsPerPass, total - begin);
        at::Tensor logits = at::linear(hidden.narrow(0, begin, count), model.weights.head);
        const at::Tensor tokens = teacher.tokens.narrow(0, begin, count).contiguous();
        const at::Tensor probabilities = teacher.probabilities.narrow(0, begin, count).contiguous();
        const at::Tensor targets = teacher.targets.narrow(0, begin, count).contiguous();
        const DistillationRows rows{logits.data_ptr(),
                                    tokens.const_data_ptr<std::int64_t>(),
                                    probabilities.const_data_ptr<float>(),
                                    targets.const_data_ptr<std::int64_t>(),
                                    divergence.data_ptr<float>() + begin,
                                    nll.data_ptr<float>() + begin,
                                    logits.size(1),
                                    tokens.size(1),
                                    static_cast<float>(kl_weight),
                                    scales.const_data_ptr<float>() + begin};
        const auto kernel =
            logits.scalar_type() == at::kBFloat16 ? distillation_bf16 : distillation_f32;
        at::parallel_for(0, count, 1, [&](std::int64_t b, std::int64_t e) { kernel(rows, b, e); });
        gradients.push_back(at::mm(logits, model.weights.head));
    }
    const double loss =
        ((kl_weight * divergence + (1 - kl_weight) * nll) * scales).sum().item<double>();
    return {loss, divergence.mean().item<double>(), nll.mean().item<double>(), at::cat(gradients)};
}

}  // namespace mc::lm
