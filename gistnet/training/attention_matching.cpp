// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/attention_matching.h"

#include <cmath>

#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::int64_t>(kBlockSize);

// Where the runs' tokens stand, shared by all layers. Positions count BOS as 0.
struct Places {
    at::Tensor tokens;         // (P): of the raw text
    at::Tensor compact;        // (P): among BOS, parents, gists and raw tokens
    at::Tensor behind_blocks;  // (P): the same if no family had been folded
    at::Tensor block_shown;    // (P, blocks) bool
    at::Tensor parent_shown;   // (P, parents) bool
};

Places make_places(const std::vector<MatchRun>& runs, std::int64_t blocks, std::int64_t parents) {
    std::vector<std::int64_t> tokens;
    std::vector<std::int64_t> shown;
    std::vector<std::int64_t> families;
    for (const MatchRun& run : runs)
        for (std::int64_t i = 0; i < run.count; ++i) {
            tokens.push_back(run.first + i);
            shown.push_back(run.blocks);
            families.push_back(run.families);
        }
    const at::Tensor t = lm::index_tensor(tokens);
    const at::Tensor b = lm::index_tensor(shown);
    const at::Tensor f = lm::index_tensor(families);
    const auto column = [](const at::Tensor& x) { return x.unsqueeze(1); };
    const auto steps = [](std::int64_t count) { return at::arange(count).unsqueeze(0); };
    Places out;
    out.tokens = t;
    out.behind_blocks = 1 + b + t - b * kBlock;
    out.compact = out.behind_blocks - (kBlock - 1) * f;
    out.block_shown = (steps(blocks) < column(b)) & (steps(blocks) >= column(f * kBlock));
    out.parent_shown = steps(parents) < column(f);
    return out;
}

// Scores of queries (Hq, P, D) against keys (H, n, D), (H, G, P, n), divided by √D.
at::Tensor scores_of(const at::Tensor& queries, const at::Tensor& keys) {
    const std::int64_t heads = keys.size(0);
    const std::int64_t dim = keys.size(2);
    return at::bmm(queries.reshape({heads, -1, dim}), keys.transpose(1, 2))
               .view({heads, queries.size(0) / heads, queries.size(1), -1}) *
           (1.0 / std::sqrt(static_cast<double>(dim)));
}

// Weights (H, G, P, n) times values (H, n, D) → (H, G, P, D).
at::Tensor sums_of(const at::Tensor& weights, const at::Tensor& values) {
    return at::bmm(weights.flatten(1, 2), values)
        .view({weights.size(0), weights.size(1), weights.size(2), -1});
}

class LayerMatch {
  public:
    LayerMatch(const lm::TorchModel& model, const KeysValues& bos, const MatchText& text,
               const std::vector<MatchRun>& runs, const Places& places, std::int64_t layer)
        : model_(model), places_(places), layer_(layer) {
        const at::Tensor attended = text.attended.select(0, layer).index_select(0, places.tokens);
        queries_ = text.queries.select(0, layer).index_select(1, places.tokens).to(at::kFloat);
        const std::int64_t heads = text.keys.size(1);
        teacher_ = attended.to(at::kFloat).unflatten(1, {heads, -1, queries_.size(2)});
        teacher_ = teacher_.permute({1, 2, 0, 3});
        weight_ = model.weights.layers[static_cast<std::size_t>(layer)].output.to(at::kFloat);
        bos_value_ = bos.values.select(1, layer).transpose(0, 1);
        const at::Tensor bos_key = bos.keys.select(1, layer).transpose(0, 1);  // (H, 1, D)
        bos_scores_ = scores_of(rotate(queries_, places.compact), bos_key);
        std::vector<at::Tensor> tops;
        std::vector<at::Tensor> masses;
        std::vector<at::Tensor> sums;
        std::int64_t at = 0;
        for (const MatchRun& run : runs) {
            attend_raw(text, run, queries_.narrow(1, at, run.count),
                       bos_scores_.narrow(2, at, run.count), tops, masses, sums);
            at += run.count;
        }
        top_ = at::cat(tops, 2);
        raw_mass_ = at::cat(masses, 2);
        raw_sum_ = at::cat(sums, 2);
    }

    // Share of the error without gists that remains with them.
    at::Tensor unexplained(const at::Tensor& block_keys, const at::Tensor& block_values,
                           const at::Tensor& parent_keys, const at::Tensor& parent_values) const {
        at::Tensor mass = raw_mass_ + (bos_scores_ - top_).exp();
        at::Tensor sum = raw_sum_ + (bos_scores_ - top_).exp() * bos_value_.unsqueeze(1);
        const at::Tensor nothing = squared_error(sum / mass);
        const auto show = [&](const at::Tensor& keys, const at::Tensor& values,
                              const at::Tensor& positions, const at::Tensor& shown) {
            if (keys.size(0) == 0) return;
            const at::Tensor at_own = rotate(keys.transpose(0, 1), at::arange(1, keys.size(0) + 1));
            const at::Tensor scores = scores_of(rotate(queries_, positions), at_own) - top_;
            // A gist that would drown everything is cut off far above any raw key.
            const at::Tensor weights = scores.clamp_max(kScoreMax).exp() * shown;
            mass = mass + weights.sum(-1, true);
            sum = sum + sums_of(weights, values.transpose(0, 1));
        };
        show(parent_keys, parent_values, places_.compact, places_.parent_shown);
        show(block_keys, block_values, places_.behind_blocks, places_.block_shown);
        return squared_error(sum / mass) / nothing;
    }

  private:
    static constexpr double kScoreMax = 20;

    // What a run's queries (Hq, count, D) take from the raw tokens since the gists.
    void attend_raw(const MatchText& text, const MatchRun& run, const at::Tensor& queries,
                    const at::Tensor& bos_scores, std::vector<at::Tensor>& tops,
                    std::vector<at::Tensor>& masses, std::vector<at::Tensor>& sums) const {
        const std::int64_t begin = run.blocks * kBlock;
        const std::int64_t count = run.first + run.count - begin;
        const at::Tensor positions = at::arange(count);
        const auto raw = [&](const at::Tensor& x) {
            return x.select(0, layer_).narrow(1, begin, count).to(at::kFloat);
        };
        const at::Tensor own = positions.narrow(0, count - run.count, run.count);
        const at::Tensor later = positions.unsqueeze(0) > own.unsqueeze(1);
        const at::Tensor scores = scores_of(rotate(queries, own), rotate(raw(text.keys), positions))
                                      .masked_fill_(later, -INFINITY);
        tops.push_back(at::maximum(scores.amax(-1, true), bos_scores));
        const at::Tensor weights = (scores - tops.back()).exp_();
        masses.push_back(weights.sum(-1, true));
        sums.push_back(sums_of(weights, raw(text.values)));
    }

    at::Tensor rotate(const at::Tensor& x, const at::Tensor& positions) const {
        return lm::rotate_pairs(x, model_.rope.cosines.index_select(0, positions),
                                model_.rope.sines.index_select(0, positions));
    }

    // Of attention outputs (H, G, P, D), after the layer's output projection.
    at::Tensor squared_error(const at::Tensor& outputs) const {
        const at::Tensor difference =
            (outputs - teacher_).flatten(0, 1).transpose(0, 1).flatten(1);  // (P, Hq × D)
        return at::linear(difference, weight_).square().sum();
    }

    const lm::TorchModel& model_;
    const Places& places_;
    std::int64_t layer_;
    at::Tensor queries_;     // (Hq, P, D), before rotation
    at::Tensor bos_value_;   // (H, 1, D)
    at::Tensor bos_scores_;  // (H, G, P, 1), compact
    at::Tensor top_;         // (H, G, P, 1): subtracted from every score
    at::Tensor teacher_;     // (H, G, P, D): attention over the raw text
    at::Tensor weight_;      // (W, Hq × D): the output projection
    at::Tensor raw_mass_;    // (H, G, P, 1)
    at::Tensor raw_sum_;     // (H, G, P, D)
};

}  // namespace

MatchResult match_attention(const lm::TorchModel& model, const KeysValues& bos,
                            const MatchText& text, const MatchGists& gists,
                            const std::vector<MatchRun>& runs) {
    const c10::InferenceMode no_inference(false);
    const std::int64_t layers = text.keys.size(0);
    const Places places = make_places(runs, gists.blocks.keys.size(0), gists.parents.keys.size(0));
    MatchResult out;
    const auto zeros = [](const KeysValues& x) {
        return KeysValues{at::zeros_like(x.keys), at::zeros_like(x.values)};
    };
    out.gradient = {zeros(gists.blocks), zeros(gists.parents)};
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        const auto leaf = [&](const at::Tensor& x) {
            return x.detach().select(1, layer).clone().requires_grad_();
        };
        const at::Tensor leaves[] = {leaf(gists.blocks.keys), leaf(gists.blocks.values),
                                     leaf(gists.parents.keys), leaf(gists.parents.values)};
        std::optional<LayerMatch> match;
        {
            at::NoGradGuard no_grad;
            match.emplace(model, bos, text, runs, places, layer);
        }
        at::AutoGradMode grad(true);
        const at::Tensor loss = match->unexplained(leaves[0], leaves[1], leaves[2], leaves[3]);
        loss.backward();
        out.unexplained.push_back(loss.item<double>());
        at::NoGradGuard no_grad;
        const auto keep = [&](const at::Tensor& to, const at::Tensor& leaf_tensor) {
            if (leaf_tensor.grad().defined())
                to.select(1, layer).copy_(leaf_tensor.grad() / static_cast<double>(layers));
        };
        keep(out.gradient.blocks.keys, leaves[0]);
        keep(out.gradient.blocks.values, leaves[1]);
        keep(out.gradient.parents.keys, leaves[2]);
        keep(out.gradient.parents.values, leaves[3]);
    }
    return out;
}

}  // namespace mc::gistnet
