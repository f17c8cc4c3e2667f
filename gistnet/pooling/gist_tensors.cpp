// SPDX-License-Identifier: Apache-2.0
#include "gistnet/pooling/gist_tensors.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/check.h"
#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr double kHalfMax = 65504.0;
constexpr double kLengthMin = 1e-12;

// Children's log-mass (N, L, H, K); undefined where none has any.
at::Tensor children_log_mass(std::span<const SiblingGists> families, const GistShape& shape,
                             at::Device device) {
    std::vector<at::Tensor> rows;
    bool has_one = false;
    for (const SiblingGists& family : families) {
        at::Tensor row = stack_log_mass(family, shape);
        has_one |= row.defined();
        if (!row.defined())
            row = at::zeros(
                {static_cast<std::int64_t>(kBlockSize), shape.layer_count, shape.kv_head_count});
        rows.push_back(std::move(row));
    }
    if (!has_one) return {};
    return at::stack(rows).permute({0, 2, 3, 1}).to(device);
}

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
    at::Tensor mass;  // (N, L × H) steps
    if (pooled.log_mass.defined()) mass = log_mass_steps(pooled.log_mass).flatten(1).contiguous();
    std::vector<Gist> gists(static_cast<std::size_t>(kv.size(0)));
    for (std::size_t i = 0; mass.defined() && i < gists.size(); ++i) {
        const std::int64_t count = mass.size(1);
        const auto* steps =
            mass.const_data_ptr<std::int8_t>() + static_cast<std::int64_t>(i) * count;
        if (std::any_of(steps, steps + count, [](std::int8_t step) { return step != 0; }))
            gists[i].log_mass.assign(steps, steps + count);
    }
    for (Gist& gist : gists) {
        gist.kv.assign(halves, halves + kv_count);
        gist.index_vector.assign(floats, floats + index_dim);
        halves += kv_count;
        floats += index_dim;
    }
    return gists;
}

at::Tensor log_mass_steps(const at::Tensor& log_mass) {
    // Minus infinity becomes the least step, which means just that.
    return (log_mass / kLogMassStep)
        .round()
        .clamp(kLogMassAbsent, std::numeric_limits<std::int8_t>::max())
        .to(at::kCPU, at::kChar);
}

at::Tensor log_mass_nats(const at::Tensor& steps) {
    return (steps.to(at::kFloat) * kLogMassStep)
        .masked_fill(steps == kLogMassAbsent, -std::numeric_limits<float>::infinity());
}

at::Tensor stack_gists(std::span<const Gist> gists, const GistShape& shape) {
    at::Tensor kv = at::empty({static_cast<std::int64_t>(gists.size()), shape.layer_count, 2,
                               shape.kv_head_count, shape.head_dim},
                              at::kHalf);
    auto* to = static_cast<std::byte*>(kv.data_ptr());
    const std::size_t size_bytes = shape.kv_count() * sizeof(std::uint16_t);
    for (const Gist& gist : gists) {
        MC_CHECK(gist.kv.size() == shape.kv_count(), "a gist of another model");
        std::memcpy(to, gist.kv.data(), size_bytes);
        to += size_bytes;
    }
    return kv.to(at::kFloat);
}

at::Tensor stack_log_mass(std::span<const Gist> gists, const GistShape& shape) {
    if (std::ranges::all_of(gists, [](const Gist& gist) { return gist.log_mass.empty(); }))
        return {};
    at::Tensor out =
        at::zeros({static_cast<std::int64_t>(gists.size()), shape.layer_count, shape.kv_head_count},
                  at::kFloat);
    auto* to = out.data_ptr<float>();
    for (const Gist& gist : gists) {
        std::ranges::transform(gist.log_mass, to, log_mass_of);
        to += shape.log_mass_count();
    }
    return out;
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
    return {x.select(0, 0), x.select(0, 1), children_log_mass(families, shape, device)};
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
