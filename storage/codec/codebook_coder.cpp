// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/codebook_coder.h"

#include <algorithm>
#include <cmath>

#include "formats/half_float.h"

namespace mc::storage {
namespace {

constexpr float kHalfMax = 65504;
constexpr std::size_t kBitsPerCode = 8;

}  // namespace

MappedQuantizer::MappedQuantizer(std::uint64_t width, std::uint64_t dims, std::uint64_t bytes)
    : map(static_cast<int>(width), static_cast<int>(dims), false),
      quantizer(dims, bytes, kBitsPerCode) {
    map.is_trained = true;  // by whoever fills in its matrix
}

void MappedQuantizer::encode(const float* x, std::uint8_t* codes, float* residual) const {
    std::vector<float> mapped(static_cast<std::size_t>(map.d_out));
    map.apply_noalloc(1, x, mapped.data());
    quantizer.compute_code(mapped.data(), codes);
    if (residual == nullptr) return;
    std::vector<float> said(static_cast<std::size_t>(map.d_in), 0);
    add_decoded(codes, said.data());
    std::transform(x, x + map.d_in, said.begin(), residual, std::minus());
}

void MappedQuantizer::add_decoded(const std::uint8_t* codes, float* x) const {
    std::vector<float> mapped(static_cast<std::size_t>(map.d_out));
    std::vector<float> said(static_cast<std::size_t>(map.d_in));
    quantizer.decode(codes, mapped.data());
    map.transform_transpose(1, mapped.data(), said.data());
    std::transform(said.begin(), said.end(), x, x, std::plus());
}

CodebookCoder::CodebookCoder(const GistCodebook& codebook)
    : head_dim_(codebook.shape.head_dim), centre_(codebook.centre), scale_(codebook.scale) {
    if (codebook.shared_bytes > 0) {
        shared_.emplace(codebook.centre.size(), codebook.shared_dims, codebook.shared_bytes);
        shared_->map.A = codebook.shared_basis;
        shared_->quantizer.centroids = codebook.shared_centroids;
    }
    const std::size_t turned = head_dim_ * head_dim_;
    const std::size_t named = head_dim_ * kCentroids;
    heads_.reserve(codebook.head_bytes.size());
    for (std::size_t i = 0; i < codebook.head_bytes.size(); ++i) {
        MappedQuantizer& head = heads_.emplace_back(head_dim_, head_dim_, codebook.head_bytes[i]);
        const auto part = [i](const std::vector<float>& of, std::size_t width) {
            const auto begin = of.begin() + static_cast<std::ptrdiff_t>(i * width);
            return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(width));
        };
        head.map.A = part(codebook.rotations, turned);
        head.quantizer.centroids = part(codebook.head_centroids, named);
    }
}

Result<void> CodebookCoder::encode(std::span<const std::uint16_t> kv,
                                   std::span<std::byte> out) const {
    std::vector<float> y(kv.size());
    for (std::size_t i = 0; i < kv.size(); ++i) {
        y[i] = (half_to_float(kv[i]) - centre_[i]) * scale_[i];
        if (!std::isfinite(y[i]))
            return fail(ErrorCode::kModel,
                        "a gist holds an infinity or a NaN, which pq cannot keep");
    }
    auto* codes = reinterpret_cast<std::uint8_t*>(out.data());
    if (shared_) {
        shared_->encode(y.data(), codes, y.data());
        codes += shared_->quantizer.code_size;
    }
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        heads_[i].encode(&y[i * head_dim_], codes, nullptr);
        codes += heads_[i].quantizer.code_size;
    }
    return {};
}

void CodebookCoder::decode(std::span<const std::byte> encoded, std::span<std::uint16_t> kv) const {
    std::vector<float> y(kv.size(), 0);
    const auto* codes = reinterpret_cast<const std::uint8_t*>(encoded.data());
    if (shared_) {
        shared_->add_decoded(codes, y.data());
        codes += shared_->quantizer.code_size;
    }
    for (std::size_t i = 0; i < heads_.size(); ++i) {
        heads_[i].add_decoded(codes, &y[i * head_dim_]);
        codes += heads_[i].quantizer.code_size;
    }
    for (std::size_t i = 0; i < kv.size(); ++i)
        kv[i] = float_to_half(std::clamp(centre_[i] + y[i] / scale_[i], -kHalfMax, kHalfMax));
}

}  // namespace mc::storage
