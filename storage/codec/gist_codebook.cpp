// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/gist_codebook.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace mc::storage {
namespace {

// Far above any model known; with them no product below overflows.
constexpr std::uint32_t kLayersMax = 4096;
constexpr std::uint32_t kHeadsMax = 1024;
constexpr std::uint32_t kHeadDimMax = 1024;

tl::unexpected<Error> refuse(const std::string& what) {
    return fail(ErrorCode::kInvalidInput, "codebook: " + what);
}

Result<void> check_numbers(const char* name, std::span<const float> values, std::uint64_t count) {
    if (values.size() != count)
        return refuse(std::string(name) + " has " + std::to_string(values.size()) +
                      " numbers, not " + std::to_string(count));
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); }))
        return refuse(std::string(name) + " holds a number that is not finite");
    return {};
}

}  // namespace

std::uint64_t GistCodebook::gist_bytes() const {
    return std::accumulate(head_bytes.begin(), head_bytes.end(), std::uint64_t{shared_bytes});
}

Result<void> check_codebook(const GistCodebook& codebook) {
    const GistShape& shape = codebook.shape;
    if (shape.layer_count == 0 || shape.layer_count > kLayersMax || shape.kv_head_count == 0 ||
        shape.kv_head_count > kHeadsMax || shape.head_dim == 0 || shape.head_dim > kHeadDimMax)
        return refuse("impossible numbers of layers, heads or dimensions");
    const std::uint32_t dims = codebook.shared_dims;
    const std::uint32_t bytes = codebook.shared_bytes;
    if (dims > kSharedDimsMax || bytes > dims || (dims > 0 && (bytes == 0 || dims % bytes != 0)))
        return refuse("its shared bytes do not divide its shared dimensions");
    const std::uint64_t count = shape.kv_count();
    const std::uint64_t heads = codebook.head_count();
    if (codebook.head_bytes.size() != heads) return refuse("not one number of bytes per head");
    for (const std::uint8_t of_head : codebook.head_bytes)
        if (of_head == 0 || shape.head_dim % of_head != 0)
            return refuse("a head's bytes do not divide its dimensions");
    MC_TRY(check_numbers("centre", codebook.centre, count));
    MC_TRY(check_numbers("scale", codebook.scale, count));
    if (std::any_of(codebook.scale.begin(), codebook.scale.end(),
                    [](float x) { return !std::isnormal(x) || x < 0; }))
        return refuse("a scale is not positive");
    MC_TRY(check_numbers("shared basis", codebook.shared_basis, dims * count));
    MC_TRY(check_numbers("shared centroids", codebook.shared_centroids,
                         std::uint64_t{dims} * kCentroids));
    MC_TRY(check_numbers("rotations", codebook.rotations, count * shape.head_dim));
    return check_numbers("head centroids", codebook.head_centroids, count * kCentroids);
}

}  // namespace mc::storage
