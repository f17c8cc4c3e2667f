// SPDX-License-Identifier: Apache-2.0
#include "gistnet/probes/horizon_problem.h"

#include "core/check.h"
#include "gistnet/pooling/gist_tensors.h"

namespace mc::gistnet {
namespace {

using lm::TorchModel;

// Columns of BOS, the gists and the horizon's tokens but the last, for rows of equal shape.
lm::PassLayout layout_of(std::int64_t rows, std::int64_t gists, std::int64_t read) {
    lm::PassLayout layout;
    layout.first_columns.assign(static_cast<std::size_t>(rows), 0);
    layout.token_columns = {0};
    for (std::int64_t g = 0; g < gists; ++g) layout.placed_columns.push_back(1 + g);
    for (std::int64_t t = 0; t < read; ++t) layout.token_columns.push_back(1 + gists + t);
    return layout;
}

}  // namespace

void check_equal_shape(std::span<const OptimizerWindow> windows) {
    MC_CHECK(!windows.empty() && !windows.front().start.empty(), "no windows, or no gists");
    for (const OptimizerWindow& window : windows)
        MC_CHECK(window.start.size() == windows.front().start.size() &&
                     window.context.size() == windows.front().context.size() &&
                     window.horizon.size() == windows.front().horizon.size() &&
                     window.horizon.size() >= 2,
                 "windows of unequal shape");
}

HorizonProblem make_horizon_problem(const TorchModel& model,
                                    std::span<const OptimizerWindow> windows) {
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
    HorizonProblem problem;
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

at::Tensor stack_starts(std::span<const OptimizerWindow> windows, const GistShape& shape) {
    std::vector<at::Tensor> rows;
    for (const OptimizerWindow& window : windows) rows.push_back(stack_gists(window.start, shape));
    return at::stack(rows);
}

at::Tensor stack_log_mass(std::span<const OptimizerWindow> windows, const GistShape& shape) {
    std::vector<Gist> gists;
    for (const OptimizerWindow& window : windows)
        gists.insert(gists.end(), window.start.begin(), window.start.end());
    const at::Tensor all = stack_log_mass(gists, shape);
    if (!all.defined()) return all;
    return all.unflatten(0, {static_cast<std::int64_t>(windows.size()), -1});
}

at::Tensor behind_all_tokens(const HorizonProblem& problem, const at::Tensor& scored_gradient) {
    const at::Tensor scored = scored_gradient.unflatten(0, {problem.rows, problem.read});
    return at::constant_pad_nd(scored, {0, 0, 1, 0}).flatten(0, 1);
}

}  // namespace mc::gistnet
