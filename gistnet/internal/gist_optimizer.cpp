// SPDX-License-Identifier: Apache-2.0
#include "gistnet/gist_optimizer.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/check.h"
#include "gistnet/internal/adamw.h"
#include "gistnet/internal/gist_tensors.h"
#include "lm/internal/distillation.h"
#include "lm/internal/training_pass.h"

namespace mc::gistnet {
namespace {

using lm::TorchModel;

// Kingma, Ba 2015; its defaults, and no clipping.
constexpr AdamOptions kAdam = {0.9, 0.999, 1e-8, std::numeric_limits<double>::infinity()};

// Columns of BOS, the gists and the horizon's tokens but the last, for rows of equal shape.
lm::PassLayout layout_of(std::int64_t rows, std::int64_t gists, std::int64_t read) {
    lm::PassLayout layout;
    layout.first_columns.assign(static_cast<std::size_t>(rows), 0);
    layout.token_columns = {0};
    for (std::int64_t g = 0; g < gists; ++g) layout.placed_columns.push_back(1 + g);
    for (std::int64_t t = 0; t < read; ++t) layout.token_columns.push_back(1 + gists + t);
    return layout;
}

// The windows as tensors, and what the full context predicts. B rows, P gists, T read horizon
// tokens, W hidden width.
struct Problem {
    lm::PassLayout layout;
    at::Tensor inputs;              // (B, 1 + T, W): BOS and the horizon but its last token
    lm::TeacherPrediction teacher;  // of horizon tokens 2 to H
    std::int64_t rows = 0;
    std::int64_t read = 0;
};

Problem make_problem(const TorchModel& model, std::span<const OptimizerWindow> windows) {
    const TokenId bos = model.tokenizer->bos();
    std::vector<std::vector<TokenId>> full;
    std::vector<TokenId> read;
    std::vector<TokenId> targets;
    for (const OptimizerWindow& window : windows) {
        const auto without_last = window.horizon.first(window.horizon.size() - 1);
        full.push_back({bos});
        full.back().insert(full.back().end(), window.context.begin(), window.context.end());
        full.back().insert(full.back().end(), without_last.begin(), without_last.end());
        read.push_back(bos);
        read.insert(read.end(), without_last.begin(), without_last.end());
        targets.insert(targets.end(), window.horizon.begin() + 1, window.horizon.end());
    }
    Problem problem;
    problem.rows = static_cast<std::int64_t>(windows.size());
    problem.read = static_cast<std::int64_t>(windows.front().horizon.size()) - 1;
    const auto gists = static_cast<std::int64_t>(windows.front().start.size());
    problem.layout = layout_of(problem.rows, gists, problem.read);
    problem.inputs = model.embed(read).view({problem.rows, 1 + problem.read, -1});
    const auto context = static_cast<std::int64_t>(windows.front().context.size());
    const at::Tensor hidden = model.read_windows(full, 1 + context)
                                  .hidden.narrow(1, 1 + context, problem.read)
                                  .flatten(0, 1);
    problem.teacher = lm::predict_as_teacher(model, hidden, model.token_index(targets));
    return problem;
}

// Keys and values of the start: (B, P, L, 2, H, D) f32.
at::Tensor stack_start(std::span<const OptimizerWindow> windows, const GistShape& shape) {
    std::vector<Gist> gists;
    for (const OptimizerWindow& window : windows)
        gists.insert(gists.end(), window.start.begin(), window.start.end());
    const auto gist_count = static_cast<std::int64_t>(windows.front().start.size());
    std::vector<at::Tensor> rows;
    for (Gist& gist : gists) {
        MC_CHECK(gist.kv.size() == shape.kv_count(), "a gist of another model");
        const std::array<std::int64_t, 4> sizes = {shape.layer_count, 2, shape.kv_head_count,
                                                   shape.head_dim};
        rows.push_back(at::from_blob(gist.kv.data(), sizes, at::kHalf).to(at::kFloat));
    }
    return at::stack(rows).unflatten(0, {-1, gist_count});
}

OptimizedGists descend(const TorchModel& model, std::span<const OptimizerWindow> windows,
                       const GistOptimizerOptions& options) {
    const Problem problem = make_problem(model, windows);
    const at::Tensor start = stack_start(windows, model.config.gist_shape());
    const at::Tensor keys = start.select(3, 0).contiguous();
    const at::Tensor values = start.select(3, 1).contiguous();
    std::vector<AdamSlot> slots;
    for (const at::Tensor& x : {keys, values})
        slots.push_back({x, options.learning_rate, at::zeros_like(x), at::zeros_like(x)});
    lm::TrainingPass pass(model, problem.layout);
    const at::Tensor evenly = at::ones({problem.teacher.targets.size(0)}, at::kFloat);
    OptimizedGists result;
    for (std::uint32_t step = 0; step <= options.steps; ++step) {
        const at::Tensor hidden = pass.forward(problem.inputs, {keys, values})
                                      .unflatten(0, {problem.rows, 1 + problem.read});
        const at::Tensor scored = hidden.narrow(1, 1, problem.read);
        const lm::DistillationLoss loss =
            lm::distil(model, scored.flatten(0, 1), problem.teacher, evenly, 1.0);
        if (step == 0) result.divergence_before = loss.divergence;
        result.divergence_after = loss.divergence;
        if (step == options.steps) break;
        at::Tensor gradient = at::zeros_like(hidden);
        gradient.narrow(1, 1, problem.read)
            .copy_(loss.hidden_gradient.unflatten(0, {problem.rows, problem.read}));
        const lm::PassGradients found = pass.backward(gradient.flatten(0, 1));
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
    MC_CHECK(!windows.empty() && !windows.front().start.empty(), "nothing to optimise");
    for (const OptimizerWindow& window : windows)
        MC_CHECK(window.start.size() == windows.front().start.size() &&
                     window.context.size() == windows.front().context.size() &&
                     window.horizon.size() == windows.front().horizon.size() &&
                     window.horizon.size() >= 2,
                 "windows of unequal shape");
    MC_TRY(lm::TrainingPass::check_support(model.torch_model()));
    return lm::torch_guard([&] {
        const at::NoGradGuard no_grad;
        return descend(model.torch_model(), windows, options);
    });
}

}  // namespace mc::gistnet
