// SPDX-License-Identifier: Apache-2.0
// Codecs keep what they promise: fp16 every bit, int8 within its bound.
#include "storage/gist_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/rng.h"
#include "storage/half_float.h"

namespace mc::storage {
namespace {

constexpr GistShape kShape{3, 2, 8, 4};

std::vector<std::uint16_t> random_kv(Rng& rng, float magnitude) {
    std::vector<std::uint16_t> kv;
    for (std::uint64_t i = 0; i < kShape.kv_count(); ++i)
        kv.push_back(float_to_half(static_cast<float>(rng.uniform() * 2 - 1) * magnitude));
    return kv;
}

std::vector<std::uint16_t> round_trip(GistCodec codec, const std::vector<std::uint16_t>& kv) {
    std::vector<std::byte> encoded(encoded_gist_bytes(codec, kShape));
    EXPECT_TRUE(encode_gist(codec, kShape, kv, encoded));
    std::vector<std::uint16_t> decoded(kv.size());
    decode_gist(codec, kShape, encoded, decoded);
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
    EXPECT_EQ(codec_from_name(codec_name(GistCodec::kInt8)), GistCodec::kInt8);
    EXPECT_FALSE(codec_from_name("int3"));
}

TEST(GistCodecTest, SizesAreThoseOfTheDesign) {
    constexpr GistShape kSmol{30, 3, 64, 576};
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kFp16, kSmol), 23'040u);
    EXPECT_EQ(encoded_gist_bytes(GistCodec::kInt8, kSmol), 11'520u + 2 * 180);
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

TEST(GistCodecTest, Int8RefusesWhatIsNotFinite) {
    for (const auto bad : std::vector<std::uint16_t>{0x7c00, 0xfc00, 0x7e00}) {
        std::vector<std::uint16_t> kv(kShape.kv_count(), 0x3c00);
        kv[5] = bad;
        std::vector<std::byte> encoded(encoded_gist_bytes(GistCodec::kInt8, kShape));
        const auto refused = encode_gist(GistCodec::kInt8, kShape, kv, encoded);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kModel);
    }
}

}  // namespace
}  // namespace mc::storage
