// SPDX-License-Identifier: Apache-2.0
#include "gistnet/probes/gist_optimizer.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/check.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/probes/horizon_problem.h"
#include "gistnet/training/adamw.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {
namespace {

using lm::TorchModel;

// Kingma, Ba 2015; its defaults, and no clipping.
constexpr AdamOptions kAdam = {0.9, 0.999, 1e-8, std::numeric_limits<double>::infinity()};

OptimizedGists descend(const TorchModel& model, std::span<const OptimizerWindow> windows,
                       const GistOptimizerOptions& options) {
    const HorizonProblem problem = make_horizon_problem(model, windows);
    const at::Tensor start = stack_starts(windows, model.config.gist_shape());
    const at::Tensor keys = start.select(3, 0).contiguous();
    const at::Tensor values = start.select(3, 1).contiguous();
    const at::Tensor log_mass = stack_log_mass(windows, model.config.gist_shape());  // as it is
    std::vector<AdamSlot> slots;
    for (const at::Tensor& x : {keys, values})
        slots.push_back({x, options.learning_rate, at::zeros_like(x), at::zeros_like(x)});
    lm::TrainingPass pass(model, problem.layout);
    const at::Tensor evenly = at::ones({problem.teacher.targets.size(0)}, at::kFloat);
    OptimizedGists result;
    for (std::uint32_t step = 0; step <= options.steps; ++step) {
        const at::Tensor hidden = pass.forward(problem.inputs, {keys, values, log_mass})
                                      .unflatten(0, {problem.rows, 1 + problem.read});
        const at::Tensor scored = hidden.narrow(1, 1, problem.read);
        const lm::DistillationLoss loss =
            lm::distil(model, scored.flatten(0, 1), problem.teacher, evenly, 1.0);
        if (step == 0) result.divergence_before = loss.divergence;
        result.divergence_after = loss.divergence;
        if (step == options.steps) break;
        const lm::PassGradients found =
            pass.backward(behind_all_tokens(problem, loss.hidden_gradient));
        const double share = static_cast<double>(step) / options.steps;
        const at::Tensor gradients[] = {found.placed.keys, found.placed.values};
        adam_step(slots, gradients, step + 1, 0.5 * (1 + std::cos(std::numbers::pi * share)),
                  kAdam);
    }
    const auto gist_count = windows.front().start.size();
    const at::Tensor no_index =
        at::zeros({static_cast<std::int64_t>(gist_count * windows.size()), 1});
    std::vector<Gist> gists = make_gists({keys.flatten(0, 1), values.flatten(0, 1)}, no_index);
    result.gists.resize(windows.size());
    for (std::size_t i = 0; i < gists.size(); ++i) {
        const Gist& origin = windows[i / gist_count].start[i % gist_count];
        gists[i].log_mass = origin.log_mass;
        gists[i].index_vector = origin.index_vector;
        gists[i].statistics = origin.statistics;
        result.gists[i / gist_count].push_back(std::move(gists[i]));
    }
    return result;
}

}  // namespace

Result<OptimizedGists> optimize_gists(const lm::BaseModel& model,
                                      std::span<const OptimizerWindow> windows,
                                      const GistOptimizerOptions& options) {
    check_equal_shape(windows);
    MC_TRY(lm::TrainingPass::check_support(model.torch_model()));
    return lm::torch_guard([&] {
        const at::NoGradGuard no_grad;
        return descend(model.torch_model(), windows, options);
    });
}

}  // namespace mc::gistnet
