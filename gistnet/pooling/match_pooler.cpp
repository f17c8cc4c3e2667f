// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/match_pooler.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "core/span_math.h"
#include "gistnet/pooling/calibration_text.h"
#include "gistnet/pooling/match_fit.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {
namespace {

constexpr auto kSlots = static_cast<std::int64_t>(kBlockSize);
constexpr std::uint64_t kDistanceSeed = 1;
// Queries that have read less are not like those of a question.
constexpr std::int64_t kReadBeforeQuery = 16;
// How far a query stands behind the block: raw tokens, and blocks between that are gists to it.
constexpr std::uint64_t kRawTokensMax = 64;
constexpr double kBlocksBetweenMax = 4;

// Blocks that are fitted together: what they take from every query stays small.
constexpr std::int64_t kBlocksAtOnce = 8;

struct Distances {
    std::vector<std::int64_t> places;  // of the queries in their text
    std::vector<std::int64_t> to_gist;
    std::vector<std::int64_t> to_block;  // its first position
};

Distances draw_distances(std::int64_t token_count) {
    Distances out;
    Rng rng(kDistanceSeed);
    for (std::int64_t t = kReadBeforeQuery; t < token_count; ++t) {
        const auto raw = static_cast<std::int64_t>(rng.below(kRawTokensMax)) + 1;
        const double between = std::exp(rng.uniform() * std::log(kBlocksBetweenMax)) - 1;
        const auto blocks = static_cast<std::int64_t>(between);
        out.places.push_back(t);
        out.to_gist.push_back(raw + blocks);
        out.to_block.push_back(raw + blocks * kSlots + kSlots - 1);
    }
    return out;
}

at::Tensor as_index(const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong);
}

class MatchPooler final : public Pooler {
  public:
    explicit MatchPooler(const lm::TorchModel& model) : model_(model) {
        std::vector<TokenId> tokens = model.tokenizer->encode(kCalibrationText);
        tokens.insert(tokens.begin(), model.tokenizer->bos());
        tokens.resize(std::min<std::size_t>(tokens.size(), model.config.context_length));
        const Distances distances = draw_distances(static_cast<std::int64_t>(tokens.size()));
        const std::vector<std::vector<TokenId>> window = {std::move(tokens)};
        const lm::ReadOutput read = model.read_attention(window, 0);
        for (std::int64_t layer = 0; layer < read.keys.size(1); ++layer)
            layers_.push_back(sample(read, layer, distances));
    }

    std::string name() const override { return "kv-match (untrained)"; }

    KeysValues pool_block(const KeysValues& x) const override { return match(x); }

    KeysValues pool_children(const KeysValues& x) const override { return match(x); }

  private:
    MatchQueries sample(const lm::ReadOutput& read, std::int64_t layer,
                        const Distances& distances) const {
        const auto of_layer = [&](const at::Tensor& x) {
            return x.select(0, 0).select(0, layer).to(at::kFloat);
        };
        const at::Tensor keys = of_layer(read.keys);  // (H, T, D)
        const std::int64_t dim = keys.size(2);
        const at::Tensor places = as_index(distances.places);
        // (Hq, R', D) → (H, R, D): the query heads that share a KV head one after another.
        const auto by_head = [&](const at::Tensor& x) {
            return x.unflatten(0, {keys.size(0), -1}).flatten(1, 2).contiguous();
        };
        const at::Tensor queries = of_layer(read.queries).index_select(1, places) *
                                   (1.0 / std::sqrt(static_cast<double>(dim)));
        const auto turned_by = [&](const at::Tensor& positions) {
            return by_head(rotate(queries, positions));
        };
        const at::Tensor all = at::arange(keys.size(1));
        at::Tensor scores = at::matmul(turned_by(places), rotate(keys, all).transpose(1, 2));
        const at::Tensor own = places.repeat({scores.size(1) / places.size(0)});
        scores.masked_fill_(all.unsqueeze(0) > own.unsqueeze(1), -INFINITY);  // (H, R, T)
        const at::Tensor attended =
            of_layer(read.attended).unflatten(1, {-1, dim}).transpose(0, 1);  // (Hq, T, D)
        return {turned_by(as_index(distances.to_gist)), turned_by(as_index(distances.to_block)),
                scores.logsumexp(-1), by_head(attended.index_select(1, places))};
    }

    at::Tensor rotate(const at::Tensor& x, const at::Tensor& positions) const {
        return lm::rotate_pairs(x, model_.rope.cosines.index_select(0, positions),
                                model_.rope.sines.index_select(0, positions));
    }

    KeysValues match(const KeysValues& x) const {
        std::vector<at::Tensor> keys;
        std::vector<at::Tensor> values;
        std::vector<at::Tensor> masses;
        for (std::int64_t begin = 0; begin < x.keys.size(0); begin += kBlocksAtOnce) {
            const std::int64_t count = std::min(kBlocksAtOnce, x.keys.size(0) - begin);
            const auto some = [&](const at::Tensor& all) {
                return all.defined() ? all.narrow(0, begin, count) : at::Tensor();
            };
            KeysValues made = match_some({some(x.keys), some(x.values), some(x.log_mass)});
            keys.push_back(std::move(made.keys));
            values.push_back(std::move(made.values));
            masses.push_back(std::move(made.log_mass));
        }
        return {at::cat(keys), at::cat(values), at::cat(masses)};
    }

    KeysValues match_some(const KeysValues& x) const {
        std::vector<at::Tensor> keys;
        std::vector<at::Tensor> values;
        std::vector<at::Tensor> masses;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            const auto layer = static_cast<std::int64_t>(l);
            const auto of_layer = [&](const at::Tensor& all) {
                return all.defined() ? all.select(1, layer).to(at::kFloat) : at::Tensor();
            };
            const MatchTarget target =
                target_of(layers_[l], rotate(of_layer(x.keys), at::arange(kSlots)),
                          of_layer(x.values), of_layer(x.log_mass));
            const MatchFit fit = fit_entries(layers_[l], target);
            const std::int64_t dim = fit.value.size(2);
            keys.push_back(fit.key_and_mass.narrow(2, 0, dim));
            masses.push_back(fit.key_and_mass.select(2, dim));
            values.push_back(fit.value);
        }
        return {at::stack(keys, 1), at::stack(values, 1), at::stack(masses, 1)};
    }

    const lm::TorchModel& model_;
    std::vector<MatchQueries> layers_;
};

}  // namespace

std::unique_ptr<Pooler> make_match_pooler(const lm::TorchModel& model) {
    return std::make_unique<MatchPooler>(model);
}

}  // namespace mc::gistnet
