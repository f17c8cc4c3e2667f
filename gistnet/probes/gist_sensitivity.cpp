// SPDX-License-Identifier: Apache-2.0
#include "gistnet/probes/gist_sensitivity.h"

#include <algorithm>

#include "gistnet/probes/horizon_problem.h"

namespace mc::gistnet {
namespace {

// Activations are kept for the backward pass.
constexpr std::size_t kWindowsPerPass = 8;

// Sum over the windows and their gists of the squared gradient: (L, 2, H, D) f32.
at::Tensor squared_gradients(const lm::TorchModel& model,
                             std::span<const OptimizerWindow> windows) {
    const HorizonProblem problem = make_horizon_problem(model, windows);
    const at::Tensor start = stack_starts(windows, model.config.gist_shape());
    lm::TrainingPass pass(model, problem.layout);
    const lm::PlacedEntries placed = {start.select(3, 0).contiguous(),
                                      start.select(3, 1).contiguous(),
                                      stack_log_mass(windows, model.config.gist_shape())};
    const at::Tensor hidden =
        pass.forward(problem.inputs, placed).unflatten(0, {problem.rows, 1 + problem.read});
    const at::Tensor evenly = at::ones({problem.teacher.targets.size(0)}, at::kFloat);
    const lm::DistillationLoss loss =
        lm::distil(model, hidden.narrow(1, 1, problem.read).flatten(0, 1), problem.teacher, evenly,
                   /*kl_weight=*/0);
    const lm::PassGradients found = pass.backward(behind_all_tokens(problem, loss.hidden_gradient));
    // distil's loss is the mean over all rows.
    const auto scored = static_cast<double>(problem.rows * problem.read);
    const at::Tensor both = at::stack({found.placed.keys, found.placed.values}, 3).to(at::kFloat);
    return (both * scored).square().sum({0, 1});
}

}  // namespace

Result<std::vector<float>> gist_sensitivity(const lm::BaseModel& model,
                                            std::span<const OptimizerWindow> windows) {
    check_equal_shape(windows);
    MC_TRY(lm::TrainingPass::check_support(model.torch_model()));
    return lm::torch_guard([&] {
        const at::NoGradGuard no_grad;
        at::Tensor sum;
        for (std::size_t first = 0; first < windows.size(); first += kWindowsPerPass) {
            const auto some =
                windows.subspan(first, std::min(kWindowsPerPass, windows.size() - first));
            const at::Tensor one = squared_gradients(model.torch_model(), some);
            sum = sum.defined() ? sum + one : one;
        }
        const auto gists = static_cast<double>(windows.size() * windows.front().start.size());
        const at::Tensor root = (sum / gists).sqrt().flatten().contiguous();
        const float* data = root.const_data_ptr<float>();
        return std::vector<float>(data, data + root.numel());
    });
}

}  // namespace mc::gistnet
