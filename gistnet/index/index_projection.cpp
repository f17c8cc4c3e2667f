// SPDX-License-Identifier: Apache-2.0
#include "gistnet/index/index_projection.h"

#include <algorithm>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/pooling/gist_tensors.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::int64_t>(kBlockSize);

// The frequency at which a token's weight is a half.
constexpr double kHalfFrequency = 1e-3;

// Texts that are read together, padded to the longest.
constexpr std::size_t kTextsPerPass = 16;

}  // namespace

at::Tensor IndexProjection::project(const at::Tensor& features) const {
    return at_unit_length(at::addmm(bias, features, map));
}

at::Tensor inverse_frequency_weights(const at::Tensor& counts) {
    const at::Tensor frequencies = counts.to(at::kDouble) / counts.sum().to(at::kDouble);
    return (kHalfFrequency / (kHalfFrequency + frequencies)).to(at::kFloat);
}

at::Tensor pool_features(const at::Tensor& residuals, const at::Tensor& weights) {
    const at::Tensor shares = (weights / weights.sum(1, true)).unsqueeze(1).unsqueeze(1);
    // (N, 1, 1, T) × (N, R, T, W) → (N, R, 1, W)
    return at::matmul(shares, residuals.to(at::kFloat)).flatten(1);
}

at::Tensor block_features(const lm::TorchModel& model, const at::Tensor& token_weights,
                          const at::Tensor& residuals, std::span<const TokenId> tokens) {
    const at::Tensor weights =
        token_weights.index_select(0, model.token_index(tokens)).view({-1, kBlock});
    const at::Tensor by_block =
        residuals.unflatten(2, {-1, kBlock}).transpose(1, 2).flatten(0, 1);  // (N, R, K, W)
    return pool_features(by_block, weights);
}

at::Tensor text_features(const lm::TorchModel& model, const at::Tensor& token_weights,
                         const std::vector<std::int64_t>& layers,
                         std::span<const std::vector<TokenId>> texts) {
    const TokenId bos = model.tokenizer->bos();
    std::vector<at::Tensor> features;
    for (std::size_t first = 0; first < texts.size(); first += kTextsPerPass) {
        const auto together = texts.subspan(first, std::min(kTextsPerPass, texts.size() - first));
        std::size_t longest = 0;
        for (const std::vector<TokenId>& text : together) longest = std::max(longest, text.size());
        const auto width = static_cast<std::int64_t>(longest);
        at::Tensor weights =
            at::zeros({static_cast<std::int64_t>(together.size()), width}, token_weights.options());
        std::vector<std::vector<TokenId>> read;
        for (std::size_t i = 0; i < together.size(); ++i) {
            const std::vector<TokenId>& text = together[i];
            MC_CHECK(!text.empty(), "nothing to read");
            weights.select(0, static_cast<std::int64_t>(i))
                .narrow(0, 0, static_cast<std::int64_t>(text.size()))
                .copy_(token_weights.index_select(0, model.token_index(text)));
            std::vector<TokenId> tokens = {bos};
            tokens.insert(tokens.end(), text.begin(), text.end());
            tokens.resize(longest + 1, bos);  // what follows a text changes nothing of it
            read.push_back(std::move(tokens));
        }
        features.push_back(pool_features(model.read_residuals(read, 1, layers), weights));
    }
    return at::cat(features);
}

}  // namespace mc::gistnet
