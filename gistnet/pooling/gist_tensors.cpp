// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/gist_tensors.h"

#include <algorithm>
#include <cstring>

#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr double kHalfMax = 65504.0;
constexpr double kLengthMin = 1e-12;

}  // namespace

std::vector<Gist> make_gists(const KeysValues& pooled, const at::Tensor& index_vectors) {
    const at::Tensor kv = at::stack({pooled.keys, pooled.values}, 2)  // (N, L, 2, H, D)
                              .to(at::kFloat)
                              .clamp(-kHalfMax, kHalfMax)
                              .to(at::kCPU, at::kHalf)
                              .contiguous();
    const at::Tensor index = index_vectors.to(at::kCPU, at::kFloat).contiguous();
    const std::size_t kv_count = static_cast<std::size_t>(kv.stride(0));
    const std::size_t index_dim = static_cast<std::size_t>(index.size(1));
    const auto* halves = static_cast<const std::uint16_t*>(kv.const_data_ptr());
    const float* floats = index.const_data_ptr<float>();
    std::vector<Gist> gists(static_cast<std::size_t>(kv.size(0)));
    for (Gist& gist : gists) {
        gist.kv.assign(halves, halves + kv_count);
        gist.index_vector.assign(floats, floats + index_dim);
        halves += kv_count;
        floats += index_dim;
    }
    return gists;
}

KeysValues stack_children(std::span<const SiblingGists> families, const GistShape& shape,
                          at::Device device) {
    at::Tensor kv = at::empty(
        {static_cast<std::int64_t>(families.size()), static_cast<std::int64_t>(kBlockSize),
         shape.layer_count, 2, shape.kv_head_count, shape.head_dim},
        at::kHalf);
    auto* to = static_cast<std::byte*>(kv.data_ptr());
    const std::size_t size_bytes = shape.kv_count() * sizeof(std::uint16_t);
    for (const SiblingGists& family : families)
        for (const Gist& gist : family) {
            std::memcpy(to, gist.kv.data(), size_bytes);
            to += size_bytes;
        }
    // (N, K, L, 2, H, D) → two of (N, L, H, K, D)
    const at::Tensor x = kv.to(device, at::kFloat).permute({3, 0, 2, 4, 1, 5});
    return {x.select(0, 0), x.select(0, 1)};
}

at::Tensor stack_index_vectors(std::span<const SiblingGists> families, const GistShape& shape) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(families.size()),
                                static_cast<std::int64_t>(kBlockSize), shape.index_dim},
                               at::kFloat);
    float* to = out.data_ptr<float>();
    for (const SiblingGists& family : families)
        for (const Gist& gist : family)
            to = std::copy(gist.index_vector.begin(), gist.index_vector.end(), to);
    return out;
}

at::Tensor at_unit_length(const at::Tensor& x) {
    return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, true).clamp_min(kLengthMin);
}

}  // namespace mc::gistnet
