// SPDX-License-Identifier: Apache-2.0
#include "gistnet/probes/pooling_tally.h"

#include "core/check.h"

namespace mc::gistnet {
namespace {

constexpr double kNormMin = 1e-12;

// (L × H, N, J) → (L, J) f64 on the CPU, summed over heads and blocks.
at::Tensor sum_by_layer(const at::Tensor& x, std::int64_t layers) {
    return x.unflatten(0, {layers, -1}).sum(at::IntArrayRef{1, 2}, false, at::kDouble).to(at::kCPU);
}

}  // namespace

PoolingTally::PoolingTally(const LevelParameters& parameters) : parameters_(parameters) {
    const auto sums = [&] {
        return at::zeros({parameters.queries.size(0), parameters.pooling_queries()}, at::kDouble);
    };
    entropy_ = sums();
    key_share_ = sums();
    value_share_ = sums();
}

// weights (L × H, N, J, K) → (L × H, N, J): each query's part of what all of them add up to.
at::Tensor PoolingTally::shares(const at::Tensor& positions, const at::Tensor& weights,
                                const at::Tensor& map) const {
    const std::int64_t queries = parameters_.pooling_queries();
    const at::Tensor by_head =
        positions.permute({1, 2, 0, 3, 4}).to(at::kFloat).flatten(0, 1);  // (L × H, N, K, D)
    const at::Tensor pooled = at::matmul(weights, by_head).permute({0, 2, 1, 3});
    const at::Tensor maps = map.flatten(0, 1).unflatten(1, {queries, -1});  // (L × H, J, D, D)
    const at::Tensor norms =
        at::linalg_vector_norm(at::matmul(pooled, maps), 2, at::IntArrayRef{-1});  // (LH, J, N)
    return (norms / norms.sum(1, true).clamp_min(kNormMin)).transpose(1, 2);
}

void PoolingTally::add(const KeysValues& positions) {
    const std::int64_t layers = positions.keys.size(1);
    at::Tensor weights;
    pool(parameters_, positions, &weights);
    entropy_ += sum_by_layer(-at::xlogy(weights, weights).sum(-1), layers);
    key_share_ += sum_by_layer(shares(positions.keys, weights, parameters_.key_map), layers);
    value_share_ += sum_by_layer(shares(positions.values, weights, parameters_.value_map), layers);
    blocks_ += positions.keys.size(0);
}

std::vector<LayerPooling> PoolingTally::result() const {
    MC_CHECK(blocks_ > 0, "nothing was pooled");
    const std::int64_t layers = entropy_.size(0);
    const std::int64_t queries = entropy_.size(1);
    const double scale = 1.0 / static_cast<double>(blocks_ * parameters_.queries.size(1));
    std::vector<LayerPooling> out(static_cast<std::size_t>(layers));
    const auto fill = [&](const at::Tensor& sums, std::vector<double> LayerPooling::*member) {
        const double* from = sums.const_data_ptr<double>();
        for (LayerPooling& layer : out)
            for (std::int64_t j = 0; j < queries; ++j) (layer.*member).push_back(*from++ * scale);
    };
    fill(entropy_, &LayerPooling::entropy);
    fill(key_share_, &LayerPooling::key_share);
    fill(value_share_, &LayerPooling::value_share);
    return out;
}

}  // namespace mc::gistnet
