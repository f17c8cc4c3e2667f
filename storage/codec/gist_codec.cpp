// SPDX-License-Identifier: Apache-2.0
#include "storage/codec/gist_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/config.h"
#include "formats/half_float.h"

namespace mc::storage {
namespace {

// The first one of the setting chooses among them.
constexpr std::span kNames = std::span(kCodecNames).subspan<1>();
static_assert(kNames.size() == kGistCodecs.size());

constexpr float kInt8Steps = 127;
constexpr int kInt4Least = -8;
constexpr int kInt4Most = 7;
constexpr unsigned kNibbleBits = 4;
constexpr unsigned kNibbleMask = 0xf;

// Head vectors in a gist: keys and values of every layer and KV head.
std::uint64_t head_vector_count(const GistShape& shape) {
    return std::uint64_t{shape.layer_count} * 2 * shape.kv_head_count;
}

constexpr std::uint16_t kMagnitudeBits = 0x7fff;
constexpr std::uint16_t kInfinity = 0x7c00;

// The number of largest magnitude as binary16, which holds it exactly.
std::uint16_t extreme_of(std::span<const std::uint16_t> halves) {
    std::uint16_t extreme = 0;
    for (const std::uint16_t half : halves)
        if ((half & kMagnitudeBits) > (extreme & kMagnitudeBits)) extreme = half;
    return extreme;
}

Result<void> check_finite(std::uint16_t extreme, std::string_view codec) {
    if ((extreme & kMagnitudeBits) < kInfinity) return {};
    return fail(ErrorCode::kModel,
                "a gist holds an infinity or a NaN, which " + std::string(codec) + " cannot keep");
}

Result<void> encode_int8(const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out) {
    const std::size_t head_dim = shape.head_dim;
    std::byte* next = out.data();
    for (std::size_t first = 0; first < kv.size(); first += head_dim) {
        const auto head = kv.subspan(first, head_dim);
        const std::uint16_t largest = extreme_of(head) & kMagnitudeBits;
        MC_TRY(check_finite(largest, "int8"));
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

// The groups of a head vector: kInt4Group numbers each, the last one perhaps fewer.
template <class Halves, class Body>
Result<void> for_each_group(const GistShape& shape, std::span<Halves> kv, Body body) {
    for (std::size_t head = 0; head < kv.size(); head += shape.head_dim)
        for (std::size_t first = 0; first < shape.head_dim; first += kInt4Group)
            MC_TRY(body(kv.subspan(head + first,
                                   std::min<std::size_t>(kInt4Group, shape.head_dim - first))));
    return {};
}

Result<void> encode_int4(const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out) {
    std::byte* next = out.data();
    return for_each_group(shape, kv, [&](std::span<const std::uint16_t> group) -> Result<void> {
        const std::uint16_t extreme = extreme_of(group);
        MC_TRY(check_finite(extreme, "int4"));
        const float scale = extreme == 0 ? 0 : float(kInt4Least) / half_to_float(extreme);
        std::memcpy(next, &extreme, sizeof extreme);
        next += sizeof extreme;
        std::fill_n(next, (group.size() + 1) / 2, std::byte{0});
        for (std::size_t i = 0; i < group.size(); ++i) {
            const auto step = static_cast<int>(std::lround(half_to_float(group[i]) * scale));
            const auto nibble =
                static_cast<unsigned>(std::clamp(step, kInt4Least, kInt4Most)) & kNibbleMask;
            next[i / 2] |= static_cast<std::byte>(nibble << (i % 2 * kNibbleBits));
        }
        next += (group.size() + 1) / 2;
        return {};
    });
}

void decode_int4(const GistShape& shape, std::span<const std::byte> encoded,
                 std::span<std::uint16_t> kv) {
    const std::byte* next = encoded.data();
    const auto decoded = for_each_group(shape, kv, [&](std::span<std::uint16_t> group) {
        std::uint16_t extreme = 0;
        std::memcpy(&extreme, next, sizeof extreme);
        next += sizeof extreme;
        const float width = half_to_float(extreme) / float(kInt4Least);
        for (std::size_t i = 0; i < group.size(); ++i) {
            const auto nibble =
                std::to_integer<unsigned>(next[i / 2]) >> (i % 2 * kNibbleBits) & kNibbleMask;
            const int step = static_cast<int>(nibble) - (nibble > kInt4Most ? 16 : 0);
            // Else zero would come back as -0.
            group[i] = step == 0 ? 0 : float_to_half(static_cast<float>(step) * width);
        }
        next += (group.size() + 1) / 2;
        return Result<void>();
    });
    MC_CHECK(decoded, "nothing in decoding fails");
}

void check_sizes(GistCodec codec, const GistShape& shape, std::size_t kv, std::size_t encoded) {
    MC_CHECK(kv == shape.kv_count(), "gist of another shape than the store's");
    MC_CHECK(encoded == encoded_gist_bytes(codec, shape), "encoded gist of the wrong size");
}

}  // namespace

std::string_view codec_name(GistCodec codec) {
    MC_CHECK(is_codec(static_cast<std::uint16_t>(codec)), "a number that is no codec");
    return kNames[static_cast<std::size_t>(codec)];
}

std::optional<GistCodec> codec_from_name(std::string_view name) {
    for (const GistCodec codec : kGistCodecs)
        if (codec_name(codec) == name) return codec;
    return std::nullopt;
}

bool is_codec(std::uint16_t number) {
    return number < kGistCodecs.size();
}

std::uint64_t encoded_gist_bytes(GistCodec codec, const GistShape& shape) {
    MC_CHECK(codec != GistCodec::kPq, "a codebook says how many bytes its gists take");
    if (codec == GistCodec::kFp16) return shape.kv_count() * sizeof(std::uint16_t);
    const std::uint64_t heads = head_vector_count(shape);
    if (codec == GistCodec::kInt8) return shape.kv_count() + heads * sizeof(std::uint16_t);
    const std::uint64_t whole = shape.head_dim / kInt4Group;
    const std::uint64_t rest = shape.head_dim % kInt4Group;
    return heads * (whole * (sizeof(std::uint16_t) + kInt4Group / 2) +
                    (rest > 0 ? sizeof(std::uint16_t) + (rest + 1) / 2 : 0));
}

Result<void> encode_gist(GistCodec codec, const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out) {
    check_sizes(codec, shape, kv.size(), out.size());
    if (codec == GistCodec::kInt8) return encode_int8(shape, kv, out);
    if (codec == GistCodec::kInt4) return encode_int4(shape, kv, out);
    if (!kv.empty()) std::memcpy(out.data(), kv.data(), out.size());
    return {};
}

void decode_gist(GistCodec codec, const GistShape& shape, std::span<const std::byte> encoded,
                 std::span<std::uint16_t> kv) {
    check_sizes(codec, shape, kv.size(), encoded.size());
    if (codec == GistCodec::kInt8) {
        decode_int8(shape, encoded, kv);
    } else if (codec == GistCodec::kInt4) {
        decode_int4(shape, encoded, kv);
    } else if (!kv.empty()) {
        std::memcpy(kv.data(), encoded.data(), encoded.size());
    }
}

}  // namespace mc::storage
