// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/held_out.h"

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/training/trainer.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::int64_t>(kBlockSize);

// Tokens of a pass: bounds its activations.
constexpr std::int64_t kTokensPerPass = 512;

// Sum of the NLL of every horizon token but the first of every row, read after BOS and the gists
// (B, P, L, H, D) with their log-mass (B, P, L, H).
double nll_after(const lm::TorchModel& model, const KeysValues& bos, const KeysValues& gists,
                 const std::vector<at::Tensor>& horizons) {
    double sum = 0;
    const auto count = static_cast<std::int64_t>(horizons.size());
    const std::int64_t scored = horizons.front().size(0) - 1;
    const std::int64_t rows_per_pass = std::max<std::int64_t>(1, kTokensPerPass / scored);
    for (std::int64_t begin = 0; begin < count; begin += rows_per_pass) {
        const std::int64_t rows = std::min(rows_per_pass, count - begin);
        const auto with_bos = [&](const at::Tensor& first, const at::Tensor& x) {
            const at::Tensor repeated = first.unsqueeze(0).expand({rows, -1, -1, -1, -1});
            return at::cat({repeated, x.narrow(0, begin, rows)}, 1);
        };
        const at::Tensor log_mass =
            at::constant_pad_nd(gists.log_mass.narrow(0, begin, rows), {0, 0, 0, 0, 1, 0});
        const lm::PlacedEntries placed = {with_bos(bos.keys, gists.keys),
                                          with_bos(bos.values, gists.values), log_mass};
        std::vector<at::Tensor> inputs;
        std::vector<at::Tensor> targets;
        for (std::int64_t r = begin; r < begin + rows; ++r) {
            const at::Tensor& ids = horizons[static_cast<std::size_t>(r)];
            inputs.push_back(model.weights.embeddings.index_select(0, ids.narrow(0, 0, scored)));
            targets.push_back(ids.narrow(0, 1, scored));
        }
        lm::TrainingPass pass(model, lm::placed_then_tokens(rows, placed.keys.size(1), scored));
        const at::Tensor hidden = pass.forward(at::stack(inputs), placed);
        sum += model.score(hidden, at::cat(targets), false).nll.sum(at::kDouble).item<double>();
    }
    return sum;
}

}  // namespace

Result<HeldOut> HeldOut::make(const lm::TorchModel& model, const TrainingText& documents,
                              const std::vector<HeldOutShape>& shapes) {
    HeldOut out(model);
    for (std::size_t d = 0; d < documents.size(); ++d)
        for (std::size_t s = 0; s < shapes.size(); ++s) {
            const HeldOutShape& shape = shapes[s];
            const std::size_t tokens =
                std::size_t{shape.context_blocks} * kBlockSize + shape.horizon_tokens;
            const std::size_t stride = documents[d].size() / shape.windows;
            if (stride < tokens && s > 0) continue;
            if (stride < tokens)
                return fail(ErrorCode::kInvalidInput,
                            "an evaluation document of " + std::to_string(documents[d].size()) +
                                " tokens is too short for " + std::to_string(shape.windows) +
                                " windows of " + std::to_string(tokens));
            Windows windows{d, shape, {}};
            for (std::uint32_t w = 0; w < shape.windows; ++w) {
                const auto begin = documents[d].begin() + static_cast<std::ptrdiff_t>(w * stride);
                windows.tokens.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(tokens));
            }
            out.windows_.push_back(std::move(windows));
        }
    return out;
}

HeldOutScore HeldOut::score_windows(const Windows& windows,
                                    const std::vector<LevelParameters>& levels) const {
    const auto count = static_cast<std::int64_t>(windows.tokens.size());
    const std::int64_t context = std::int64_t{windows.shape.context_blocks} * kBlock;
    const std::int64_t horizon = windows.shape.horizon_tokens;
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> log_mass;
    std::vector<at::Tensor> horizons;
    double full = 0;
    for (const std::vector<TokenId>& window : windows.tokens) {
        std::vector<TokenId> read = {model_->tokenizer->bos()};
        read.insert(read.end(), window.begin(), window.end());
        const std::vector<std::vector<TokenId>> one = {std::move(read)};
        const lm::ReadOutput out = model_->read_windows(one, 1);
        KeysValues gists =
            pool(levels.front(),
                 blocks_of({out.keys.narrow(3, 0, context), out.values.narrow(3, 0, context)}));
        if (levels.size() > 1) gists = pool(levels[1], families_of(gists));
        keys.push_back(gists.keys);
        values.push_back(gists.values);
        log_mass.push_back(gists.log_mass);
        const at::Tensor ids = model_->token_index(std::span(window)).narrow(0, context, horizon);
        horizons.push_back(ids);
        const at::Tensor hidden = out.hidden.select(0, 0).narrow(0, context + 1, horizon - 1);
        full += model_->score(hidden, ids.narrow(0, 1, horizon - 1), false)
                    .nll.sum(at::kDouble)
                    .item<double>();
    }
    const KeysValues bos = read_bos(*model_);
    const KeysValues own = {at::stack(keys), at::stack(values), at::stack(log_mass)};
    const KeysValues others = {at::roll(own.keys, count / 2, 0), at::roll(own.values, count / 2, 0),
                               at::roll(own.log_mass, count / 2, 0)};
    const KeysValues nothing = {own.keys.narrow(1, 0, 0), own.values.narrow(1, 0, 0),
                                own.log_mass.narrow(1, 0, 0)};
    const auto scored = static_cast<double>(count * (horizon - 1));
    return {windows.document,
            windows.shape,
            nll_after(*model_, bos, nothing, horizons) / scored,
            full / scored,
            nll_after(*model_, bos, own, horizons) / scored,
            nll_after(*model_, bos, others, horizons) / scored};
}

std::vector<HeldOutScore> HeldOut::score(const std::vector<LevelParameters>& levels) const {
    at::NoGradGuard no_grad;
    std::vector<HeldOutScore> out;
    for (const Windows& windows : windows_) out.push_back(score_windows(windows, levels));
    return out;
}

}  // namespace mc::gistnet
