// SPDX-License-Identifier: Apache-2.0
// Codecs keep what they promise: fp16 every bit, int8 and int4 within their bounds.
#include "storage/codec/gist_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/rng.h"
#include "formats/half_float.h"

namespace mc::storage {
namespace {

constexpr GistShape kShape{3, 2, 8, 4};

std::vector<std::uint16_t> random_kv(Rng& rng, float magnitude) {
    std::vector<std::uint16_t> kv;
    for (std::uint64_t i = 0; i < kShape.kv_count(); ++i)
        kv.push_back(float_to_half(static_cast<float>(rng.uniform() * 2 - 1) * magnitude));
    return kv;
}

std::vector<std::uint16_t> round_trip(GistCodec codec, const std::vector<std::uint16_t>& kv,
                                      const GistShape& shape = kShape) {
    std::vector<std::byte> encoded(encoded_gist_bytes(codec, shape));
    EXPECT_TRUE(encode_gist(codec, shape, kv, encoded));
    std::vector<std::uint16_t> decoded(kv.size());
    decode_gist(codec, shape, encoded, decoded);
    return decoded;
}

TEST(HalfFloatTest, EveryHalfSurvivesTheWayToFloatAndBack) {
    for (unsigned bits = 0; bits <= 0xffff; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const float value = half_to_float(half);
        if (std::isnan(value)) {
            EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
        } else {
            ASSERT_EQ(float_to_half(value), half);
        }
    }
}

TEST(HalfFloatTest, RoundingPicksTheNearerHalfAndTheEvenOneOfTwo) {
    Rng rng(7);
    for (int i = 0; i < 200'000; ++i) {
        const auto half = static_cast<std::uint16_t>(rng.below(0x7bff));
        const float low = half_to_float(half);
        const float high = half_to_float(static_cast<std::uint16_t>(half + 1));
        const float middle = low + (high - low) / 2;  // exact in binary32
        const std::uint16_t even = half % 2 == 0 ? half : static_cast<std::uint16_t>(half + 1);
        ASSERT_EQ(float_to_half(middle), even);
        ASSERT_EQ(float_to_half(std::nextafterf(middle, 0)), half);
        ASSERT_EQ(float_to_half(std::nextafterf(middle, 1e9F)), half + 1);
        ASSERT_EQ(float_to_half(-low), half | 0x8000);
    }
}

TEST(GistCodecTest, NamesAreTheirOwnInverse) {
    EXPECT_EQ(codec_from_name("fp16"), GistCodec::kFp16);
    EXPECT_EQ(codec_from_name("int8"), GistCodec::kInt8);
    EXPECT_EQ(codec_from_name("int4"), GistCodec::kInt4);
    EXPECT_EQ(codec_from_name("pq"), GistCodec::kPq);
    EXPECT_FALSE(codec_from_name("auto"));
    for (const GistCodec codec : kGistCodecs) EXPECT_EQ(codec_from_name(codec_name(codec)), codec);
    EXPECT_FALSE(codec_from_name("int3"));
}

TEST(GistCodecTest, SizesAreThoseOfTheDesign) {
    constexpr GistShape kSmol{30, 3, 64, 576};
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kFp16, kSmol), 23'040u);
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kInt8, kSmol), 11'520u + 2 * 180);
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kInt4, kSmol), 11'520u / 2 + 2 * 360);
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kInt4, {1, 1, 37, 0}), 2u * (2 + 16 + 2 + 3));
}

TEST(GistCodecTest, Fp16KeepsEveryBitPattern) {
    Rng rng(1);
    std::vector<std::uint16_t> kv;
    for (std::uint64_t i = 0; i < kShape.kv_count(); ++i)
        kv.push_back(static_cast<std::uint16_t>(rng.below(65536)));
    EXPECT_EQ(round_trip(GistCodec::kFp16, kv), kv);
}

TEST(GistCodecTest, Int8StaysWithinItsBoundAndKeepsExtremesAndZeros) {
    Rng rng(2);
    for (const float magnitude : {1e-6F, 1e-3F, 1.0F, 300.0F, 65504.0F})
        for (int i = 0; i < 200; ++i) {
            const auto kv = random_kv(rng, magnitude);
            const auto decoded = round_trip(GistCodec::kInt8, kv);
            for (std::size_t head = 0; head < kv.size(); head += kShape.head_dim) {
                float largest = 0;
                for (std::size_t j = head; j < head + kShape.head_dim; ++j)
                    largest = std::max(largest, std::abs(half_to_float(kv[j])));
                for (std::size_t j = head; j < head + kShape.head_dim; ++j) {
                    const float value = half_to_float(kv[j]);
                    // 2^-25: half of binary16's smallest step.
                    ASSERT_NEAR(half_to_float(decoded[j]), value,
                                largest * kInt8ErrorOfMax + 0x1.0p-25F);
                    if (std::abs(value) == largest) {
                        ASSERT_EQ(decoded[j], kv[j]);
                    }
                }
            }
            // What was decoded once decodes to itself ever after.
            ASSERT_EQ(round_trip(GistCodec::kInt8, decoded), decoded);
        }
    const std::vector<std::uint16_t> zeros(kShape.kv_count(), 0);
    EXPECT_EQ(round_trip(GistCodec::kInt8, zeros), zeros);
}

// Groups begin anew at every head and after kInt4Group numbers of one.
TEST(GistCodecTest, Int4StaysWithinItsBoundAndKeepsEachGroupsExtreme) {
    constexpr GistShape kWide{2, 1, 37, 0};
    Rng rng(3);
    for (const float magnitude : {1e-3F, 1.0F, 65504.0F})
        for (int i = 0; i < 200; ++i) {
            std::vector<std::uint16_t> kv;
            for (std::uint64_t j = 0; j < kWide.kv_count(); ++j)
                kv.push_back(float_to_half(static_cast<float>(rng.uniform() * 2 - 1) * magnitude));
            kv[3] = static_cast<std::uint16_t>(kv[2] ^ 0x8000);  // as large and opposite
            const auto decoded = round_trip(GistCodec::kInt4, kv, kWide);
            for (std::size_t first = 0; first < kv.size();) {
                const std::size_t begin = first;
                first += first % 37 == 0 ? 32 : 5;
                float largest = 0;
                std::size_t place = begin;
                for (std::size_t j = begin; j < first; ++j)
                    if (std::abs(half_to_float(kv[j])) > largest) {
                        largest = std::abs(half_to_float(kv[j]));
                        place = j;
                    }
                ASSERT_EQ(decoded[place], kv[place]);
                for (std::size_t j = begin; j < first; ++j)
                    ASSERT_NEAR(half_to_float(decoded[j]), half_to_float(kv[j]),
                                largest * kInt4ErrorOfMax + 0x1.0p-24F);
            }
            ASSERT_EQ(round_trip(GistCodec::kInt4, decoded, kWide), decoded);
        }
    const std::vector<std::uint16_t> zeros(kWide.kv_count(), 0);
    EXPECT_EQ(round_trip(GistCodec::kInt4, zeros, kWide), zeros);
}

TEST(GistCodecTest, IntegerCodecsRefuseWhatIsNotFinite) {
    for (const GistCodec codec : {GistCodec::kInt8, GistCodec::kInt4})
        for (const auto bad : std::vector<std::uint16_t>{0x7c00, 0xfc00, 0x7e00}) {
            std::vector<std::uint16_t> kv(kShape.kv_count(), 0x3c00);
            kv[5] = bad;
            std::vector<std::byte> encoded(encoded_gist_bytes(codec, kShape));
            const auto refused = encode_gist(codec, kShape, kv, encoded);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code(), ErrorCode::kModel);
        }
}

}  // namespace
}  // namespace mc::storage
