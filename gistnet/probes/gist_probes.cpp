// SPDX-License-Identifier: Apache-2.0
#include "gistnet/probes/gist_probes.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "gistnet/pooling/choose_pooler.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/probes/pooling_tally.h"
#include "lm/torch/torch_model.h"

namespace mc::gistnet {
namespace {

// Windows whose keys and values are held at once: of the default model 46 KB a token in f32.
constexpr std::size_t kWindowsTogether = 4;
constexpr double kSumMin = 1e-300;

// x (N, W) f64.
VectorGeometry geometry_of(const at::Tensor& x) {
    VectorGeometry out;
    const at::Tensor singular = at::linalg_svdvals(x);
    const at::Tensor shares = singular / singular.sum().clamp_min(kSumMin);
    out.effective_rank = (-at::xlogy(shares, shares).sum()).exp().item<double>();
    const at::Tensor unit = at_unit_length(x);
    const auto count = static_cast<double>(x.size(0));
    const double all_pairs = unit.sum(0).square().sum().item<double>();
    const double own_pairs = unit.square().sum().item<double>();
    out.mean_cosine = (all_pairs - own_pairs) / (count * (count - 1));
    return out;
}

// One half of each gist, keys (0) or values (1) of a layer: (N, H × D) f64.
at::Tensor rows_of(std::span<const Gist> gists, const GistShape& shape, std::size_t layer,
                   std::size_t half) {
    const std::size_t width = std::size_t{shape.kv_head_count} * shape.head_dim;
    at::Tensor rows = at::empty(
        {static_cast<std::int64_t>(gists.size()), static_cast<std::int64_t>(width)}, at::kHalf);
    auto* to = static_cast<std::uint16_t*>(rows.data_ptr());
    for (const Gist& gist : gists) {
        MC_CHECK(gist.kv.size() == shape.kv_count(), "a gist of another model");
        std::memcpy(to, gist.kv.data() + (layer * 2 + half) * width, width * sizeof *to);
        to += width;
    }
    return rows.to(at::kDouble);
}

// New tokens of windows of one shape, by block: (windows × blocks, L, H, K, D).
KeysValues read_blocks(const lm::TorchModel& model, std::span<const ReadWindow> windows) {
    std::vector<std::vector<TokenId>> read;
    for (const ReadWindow& window : windows) {
        MC_CHECK(window.tokens.size() == windows.front().tokens.size() &&
                     window.context_count == windows.front().context_count,
                 "windows of unequal shape");
        read.push_back({model.tokenizer->bos()});
        read.back().insert(read.back().end(), window.tokens.begin(), window.tokens.end());
    }
    const lm::ReadOutput out =
        model.read_windows(read, 1 + static_cast<std::int64_t>(windows.front().context_count));
    return blocks_of({out.keys, out.values});
}

}  // namespace

Result<std::vector<LayerGeometry>> measure_geometry(std::span<const Gist> gists,
                                                    const GistShape& shape) {
    MC_CHECK(gists.size() >= 2, "a pair needs two gists");
    return lm::torch_guard([&] {
        const c10::InferenceMode inference;
        std::vector<LayerGeometry> layers;
        for (std::size_t l = 0; l < shape.layer_count; ++l)
            layers.push_back({geometry_of(rows_of(gists, shape, l, 0)),
                              geometry_of(rows_of(gists, shape, l, 1))});
        return layers;
    });
}

Result<std::optional<std::vector<LayerPooling>>> measure_pooling(
    const lm::BaseModel& model, const std::string& pooling, std::span<const ReadWindow> windows,
    const std::atomic<bool>* cancelled) {
    using Found = std::optional<std::vector<LayerPooling>>;
    MC_CHECK(!windows.empty(), "nothing to pool");
    MC_ASSIGN(auto trained, find_trained(pooling, model));
    if (!trained) return Found();
    return lm::torch_guard([&]() -> Result<Found> {
        const c10::InferenceMode inference;
        const lm::TorchModel& torch = model.torch_model();
        LevelParameters& level = trained->weights.levels.front();
        for (const auto& [name, tensor] : level.named()) *tensor = tensor->to(torch.device);
        PoolingTally tally(level);
        for (std::size_t first = 0; first < windows.size(); first += kWindowsTogether) {
            if (cancelled != nullptr && cancelled->load())
                return fail(ErrorCode::kCancelled, "interrupted");
            const std::size_t count = std::min(kWindowsTogether, windows.size() - first);
            tally.add(read_blocks(torch, windows.subspan(first, count)));
        }
        return Found(tally.result());
    });
}

}  // namespace mc::gistnet
