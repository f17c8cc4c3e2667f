// SPDX-License-Identifier: Apache-2.0
#include "storage/gist_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "storage/half_float.h"

namespace mc::storage {
namespace {

constexpr float kInt8Steps = 127;

// Head vectors in a gist: keys and values of every layer and KV head.
std::uint64_t head_vector_count(const GistShape& shape) {
    return std::uint64_t{shape.layer_count} * 2 * shape.kv_head_count;
}

// Largest magnitude of a head vector as binary16, which holds it exactly.
std::uint16_t largest_magnitude(std::span<const std::uint16_t> head) {
    std::uint16_t largest = 0;
    for (const std::uint16_t half : head)
        largest = std::max(largest, static_cast<std::uint16_t>(half & 0x7fffU));
    return largest;
}

Result<void> encode_int8(const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out) {
    const std::size_t head_dim = shape.head_dim;
    std::byte* next = out.data();
    for (std::size_t first = 0; first < kv.size(); first += head_dim) {
        const auto head = kv.subspan(first, head_dim);
        const std::uint16_t largest = largest_magnitude(head);
        if (largest >= 0x7c00U)
            return fail(ErrorCode::kModel,
                        "a gist holds an infinity or a NaN, which int8 cannot "
                        "keep");
        const float scale = largest == 0 ? 0 : kInt8Steps / half_to_float(largest);
        std::memcpy(next, &largest, sizeof largest);
        next += sizeof largest;
        for (const std::uint16_t half : head) {
            const auto step = static_cast<std::int8_t>(std::lround(half_to_float(half) * scale));
            *next++ = static_cast<std::byte>(step);
        }
    }
    return {};
}

void decode_int8(const GistShape& shape, std::span<const std::byte> encoded,
                 std::span<std::uint16_t> kv) {
    const std::size_t head_dim = shape.head_dim;
    const std::byte* next = encoded.data();
    for (std::size_t first = 0; first < kv.size(); first += head_dim) {
        std::uint16_t largest = 0;
        std::memcpy(&largest, next, sizeof largest);
        next += sizeof largest;
        const float width = half_to_float(largest) / kInt8Steps;
        for (std::uint16_t& half : kv.subspan(first, head_dim))
            half = float_to_half(static_cast<float>(static_cast<std::int8_t>(*next++)) * width);
    }
}

void check_sizes(GistCodec codec, const GistShape& shape, std::size_t kv, std::size_t encoded) {
    MC_CHECK(kv == shape.kv_count(), "gist of another shape than the store's");
    MC_CHECK(encoded == encoded_gist_bytes(codec, shape), "encoded gist of the wrong size");
}

}  // namespace

std::string_view codec_name(GistCodec codec) {
    return codec == GistCodec::kFp16 ? "fp16" : "int8";
}

std::optional<GistCodec> codec_from_name(std::string_view name) {
    for (const GistCodec codec : {GistCodec::kFp16, GistCodec::kInt8})
        if (codec_name(codec) == name) return codec;
    return std::nullopt;
}

std::uint64_t encoded_gist_bytes(GistCodec codec, const GistShape& shape) {
    if (codec == GistCodec::kFp16) return shape.kv_count() * sizeof(std::uint16_t);
    return shape.kv_count() + head_vector_count(shape) * sizeof(std::uint16_t);
}

Result<void> encode_gist(GistCodec codec, const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out) {
    check_sizes(codec, shape, kv.size(), out.size());
    if (codec == GistCodec::kInt8) return encode_int8(shape, kv, out);
    if (!kv.empty()) std::memcpy(out.data(), kv.data(), out.size());
    return {};
}

void decode_gist(GistCodec codec, const GistShape& shape, std::span<const std::byte> encoded,
                 std::span<std::uint16_t> kv) {
    check_sizes(codec, shape, kv.size(), encoded.size());
    if (codec == GistCodec::kInt8) {
        decode_int8(shape, encoded, kv);
    } else if (!kv.empty()) {
        std::memcpy(kv.data(), encoded.data(), encoded.size());
    }
}

}  // namespace mc::storage
