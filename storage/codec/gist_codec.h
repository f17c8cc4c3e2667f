// SPDX-License-Identifier: Apache-2.0
// How the keys and values of a gist become the bytes of a store, and back.
//
// Pure functions on one gist; they know nothing of databases or records. fp16 keeps every bit.
// int8 keeps, for each head's vector of D numbers, its largest magnitude as binary16 and D signed
// bytes: an error of at most kInt8ErrorOfMax times that magnitude per number. int4 keeps, for each
// kInt4Group numbers of a head's vector, the number of largest magnitude as binary16, and signed
// multiples from -8 to 7 of minus an eighth of it, two a byte, the first one low: an error of at
// most kInt4ErrorOfMax times that magnitude. pq needs a codebook: storage/codec/gist_coder.h.
// Threads: free. Errors: kModel from encode_gist for a number that a codec cannot keep.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/result.h"
#include "tree/gist.h"

namespace mc::storage {

// Values are stored on disk: never renumber.
enum class GistCodec : std::uint16_t { kFp16 = 0, kInt8 = 1, kInt4 = 2, kPq = 3 };

inline constexpr std::array kGistCodecs = {GistCodec::kFp16, GistCodec::kInt8, GistCodec::kInt4,
                                           GistCodec::kPq};

// As the setting names it (kCodecNames, core/config.h); the second is the inverse.
std::string_view codec_name(GistCodec codec);
std::optional<GistCodec> codec_from_name(std::string_view name);

// Whether a stored number names a codec.
bool is_codec(std::uint16_t number);

// 1/254 from rounding to 127 steps a side, and binary16's own rounding of the result (2^-11).
inline constexpr float kInt8ErrorOfMax = 1.0F / 254 + 1.0F / 2048;

inline constexpr std::uint64_t kInt4Group = 32;

// A number that is opposite to the largest one and as large loses a step of eight; others half.
inline constexpr float kInt4ErrorOfMax = 1.0F / 8 + 1.0F / 2048;

// Bytes of one encoded gist. Requires, here and below: not pq.
std::uint64_t encoded_gist_bytes(GistCodec codec, const GistShape& shape);

// Requires: kv.size() == shape.kv_count() and out.size() == encoded_gist_bytes(codec, shape).
// Errors: kModel when int8 or int4 meets an infinity or a NaN.
Result<void> encode_gist(GistCodec codec, const GistShape& shape, std::span<const std::uint16_t> kv,
                         std::span<std::byte> out);

// Requires: the same sizes. Any bytes decode to some numbers; checksums guard the rest.
void decode_gist(GistCodec codec, const GistShape& shape, std::span<const std::byte> encoded,
                 std::span<std::uint16_t> kv);

}  // namespace mc::storage
