// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/attention_pooler.h"

#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "core/span_math.h"
#include "gistnet/pooling/gist_tensors.h"

namespace mc::gistnet {
namespace {

constexpr auto kSlots = static_cast<std::int64_t>(kBlockSize);
constexpr std::int64_t kSlotAxis = 3;
constexpr double kLastPositionBias = 3;
constexpr double kQueryDeviation = 0.3;

// Roughly normal numbers (sum of twelve uniforms) from our own generator, so that a seed means the
// same on every machine.
at::Tensor random_tensor(at::IntArrayRef sizes, double deviation, Rng& rng) {
    at::Tensor out = at::empty(sizes, at::kFloat);
    float* data = out.data_ptr<float>();
    for (std::int64_t i = 0; i < out.numel(); ++i) {
        double sum = -6;
        for (int k = 0; k < 12; ++k) sum += rng.uniform();
        data[i] = static_cast<float>(deviation * sum);
    }
    return out;
}

// Keys and values of all heads at each position: (N, L, H, K, D) → (L, N × K, 2 × H × D) f32.
at::Tensor by_position(const KeysValues& x) {
    const auto flat = [](const at::Tensor& part) {
        return part.permute({1, 0, 3, 2, 4}).to(at::kFloat).flatten(3, 4).flatten(1, 2);
    };
    return at::cat({flat(x.keys), flat(x.values)}, 2);
}

// (N, L, H, K, D) → (L × H, N × K, D) f32.
at::Tensor by_head(const at::Tensor& x) {
    return x.permute({1, 2, 0, 3, 4}).to(at::kFloat).flatten(2, 3).flatten(0, 1).contiguous();
}

// What was pooled, (L × H, N, J × D), at unit length → (N, L, H).
at::Tensor pooled_log_mass(const LevelParameters& parameters, const at::Tensor& key_sums,
                           const at::Tensor& value_sums) {
    const at::Tensor features = at::cat({at_unit_length(key_sums), at_unit_length(value_sums)},
                                        2);  // (L × H, N, 2 × J × D)
    const at::Tensor mass =
        at::bmm(features, parameters.mass_map.flatten(0, 1).unsqueeze(2)).squeeze(2) +
        parameters.mass_bias.flatten(0, 1);  // (L × H, N)
    return mass.clamp(kLogMassMin, kLogMassMax)
        .unflatten(0, parameters.mass_bias.sizes().slice(0, 2))
        .permute({2, 0, 1});
}

class AttentionPooler final : public Pooler {
  public:
    AttentionPooler(std::string name, std::vector<LevelParameters> levels)
        : name_(std::move(name)), levels_(std::move(levels)) {}

    std::string name() const override { return name_; }

    KeysValues pool_block(const KeysValues& x) const override { return pool(levels_.front(), x); }

    KeysValues pool_children(const KeysValues& x) const override {
        if (levels_.size() > 1) return pool(levels_.back(), x);
        // Untrained: the last child stands for its family. Level 1's maps would be applied twice.
        return {x.keys.select(kSlotAxis, -1), x.values.select(kSlotAxis, -1)};
    }

  private:
    std::string name_;
    std::vector<LevelParameters> levels_;
};

}  // namespace

std::vector<std::pair<std::string, at::Tensor*>> LevelParameters::named() {
    return {{"queries", &queries},     {"biases", &biases},       {"key_map", &key_map},
            {"value_map", &value_map}, {"mass_bias", &mass_bias}, {"mass_map", &mass_map}};
}

LevelParameters initial_parameters(const GistShape& shape, std::int64_t pooling_queries,
                                   std::uint64_t seed) {
    Rng rng(seed);
    const std::int64_t layers = shape.layer_count;
    const std::int64_t heads = shape.kv_head_count;
    const std::int64_t dim = shape.head_dim;
    LevelParameters out;
    out.queries = at::zeros({layers, heads, pooling_queries, 2 * heads * dim}, at::kFloat);
    const at::Tensor random =
        random_tensor({layers, heads, pooling_queries, dim}, kQueryDeviation, rng);
    for (std::int64_t h = 0; h < heads; ++h)  // at the head's own key; the first stays zero
        out.queries.select(1, h)
            .narrow(1, 1, pooling_queries - 1)
            .narrow(2, h * dim, dim)
            .copy_(random.select(1, h).narrow(1, 1, pooling_queries - 1));
    out.biases = at::zeros({layers, heads, pooling_queries, kSlots}, at::kFloat);
    out.biases.select(2, 0).select(2, kSlots - 1).fill_(kLastPositionBias);
    out.key_map = at::zeros({layers, heads, pooling_queries * dim, dim}, at::kFloat);
    out.key_map.narrow(2, 0, dim).copy_(at::eye(dim));
    out.value_map = out.key_map.clone();
    out.mass_bias = at::zeros({layers, heads, 1}, at::kFloat);
    out.mass_map = at::zeros({layers, heads, 2 * pooling_queries * dim}, at::kFloat);
    return out;
}

KeysValues pool(const LevelParameters& parameters, const KeysValues& positions,
                at::Tensor* weights) {
    const std::int64_t blocks = positions.keys.size(0);
    const std::int64_t layers = positions.keys.size(1);
    const std::int64_t heads = positions.keys.size(2);
    const std::int64_t dim = positions.keys.size(4);
    const std::int64_t queries = parameters.pooling_queries();
    MC_CHECK(positions.keys.size(3) == kSlots, "pooling takes 32 positions");
    const at::Tensor keys = by_head(positions.keys);
    const at::Tensor values = by_head(positions.values);
    const at::Tensor layer_queries = parameters.queries.flatten(1, 2);  // (L, H × J, 2 × H × D)
    const at::Tensor scores = at::bmm(by_position(positions), layer_queries.transpose(1, 2))
                                  .view({layers, blocks, kSlots, heads, queries})
                                  .permute({0, 3, 1, 4, 2})
                                  .reshape({layers * heads, blocks, queries, kSlots}) *
                              (1.0 / std::sqrt(static_cast<double>(dim)));
    const at::Tensor attention =
        at::softmax(scores + parameters.biases.flatten(0, 1).unsqueeze(1), -1);  // (LH, N, J, K)
    if (weights != nullptr) *weights = attention;
    const auto sums_of = [&](const at::Tensor& x) {  // (L × H, N, J × D)
        return at::matmul(attention, x.view({layers * heads, blocks, kSlots, dim}))
            .reshape({layers * heads, blocks, queries * dim});
    };
    const at::Tensor key_sums = sums_of(keys);
    const at::Tensor value_sums = sums_of(values);
    const auto mapped = [&](const at::Tensor& sums, const at::Tensor& map) {
        return at::bmm(sums, map.flatten(0, 1))
            .view({layers, heads, blocks, dim})
            .permute({2, 0, 1, 3});
    };
    return {mapped(key_sums, parameters.key_map), mapped(value_sums, parameters.value_map),
            pooled_log_mass(parameters, key_sums, value_sums)};
}

std::unique_ptr<Pooler> make_attention_pooler(std::string name, std::vector<LevelParameters> levels,
                                              at::Device device) {
    MC_CHECK(!levels.empty(), "a pooler needs a level");
    for (LevelParameters& level : levels)
        for (const auto& [part, tensor] : level.named()) *tensor = tensor->to(device);
    return std::make_unique<AttentionPooler>(std::move(name), std::move(levels));
}

}  // namespace mc::gistnet
