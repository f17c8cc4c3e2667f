// SPDX-License-Identifier: Apache-2.0
// The codec pq does what its codebook says, and refuses codebooks that say nothing.
#include "storage/codec/gist_coder.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "formats/half_float.h"
#include "tests/support/codebook_fixture.h"

namespace mc::storage {
namespace {

const EncoderInfo kEncoder{"fake", {5, 6}, {3, 2, 4, 0}};

std::vector<std::uint16_t> random_kv(Rng& rng, std::size_t count) {
    std::vector<std::uint16_t> kv;
    for (std::size_t i = 0; i < count; ++i)
        kv.push_back(float_to_half(static_cast<float>(rng.uniform() * 4 - 2)));
    return kv;
}

std::unique_ptr<GistCoder> coder_of(const GistCodebook& book) {
    auto coder = GistCoder::make(GistCodec::kPq, book.shape, &book);
    EXPECT_TRUE(coder) << coder.error().to_string();
    return std::move(*coder);
}

// The first `rows` rows of a matrix times x, in double.
std::vector<double> times(const float* matrix, std::size_t rows, const std::vector<double>& x) {
    std::vector<double> out(rows, 0);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < x.size(); ++i)
            out[r] += static_cast<double>(matrix[r * x.size() + i]) * x[i];
    return out;
}

// Replaces every share of z by the nearest of its 256 centroids and says which.
std::vector<unsigned> to_nearest(std::vector<double>& z, const float* centroids,
                                 std::size_t bytes) {
    const std::size_t share = z.size() / bytes;
    std::vector<unsigned> codes;
    for (std::size_t b = 0; b < bytes; ++b) {
        double least = std::numeric_limits<double>::infinity();
        unsigned best = 0;
        for (unsigned c = 0; c < kCentroids; ++c) {
            double distance = 0;
            for (std::size_t i = 0; i < share; ++i) {
                const double off = z[b * share + i] -
                                   static_cast<double>(centroids[(b * kCentroids + c) * share + i]);
                distance += off * off;
            }
            if (distance < least) {
                least = distance;
                best = c;
            }
        }
        for (std::size_t i = 0; i < share; ++i)
            z[b * share + i] = static_cast<double>(centroids[(b * kCentroids + best) * share + i]);
        codes.push_back(best);
    }
    return codes;
}

void add_transposed(const float* matrix, const std::vector<double>& z, double factor,
                    std::vector<double>& x) {
    for (std::size_t r = 0; r < z.size(); ++r)
        for (std::size_t i = 0; i < x.size(); ++i)
            x[i] += factor * static_cast<double>(matrix[r * x.size() + i]) * z[r];
}

struct Expected {
    std::vector<unsigned> codes;
    std::vector<double> kv;
};

// storage/codec/gist_codebook.h, word by word.
Expected by_hand(const GistCodebook& book, const std::vector<std::uint16_t>& kv) {
    const std::size_t dim = book.shape.head_dim;
    std::vector<double> left;
    for (std::size_t i = 0; i < kv.size(); ++i)
        left.push_back(
            (static_cast<double>(half_to_float(kv[i])) - static_cast<double>(book.centre[i])) *
            static_cast<double>(book.scale[i]));
    std::vector<double> said(kv.size(), 0);
    Expected expected;
    if (book.shared_bytes > 0) {
        std::vector<double> z = times(book.shared_basis.data(), book.shared_dims, left);
        expected.codes = to_nearest(z, book.shared_centroids.data(), book.shared_bytes);
        add_transposed(book.shared_basis.data(), z, 1, said);
        add_transposed(book.shared_basis.data(), z, -1, left);
    }
    for (std::size_t head = 0; head < book.head_bytes.size(); ++head) {
        const auto at = static_cast<std::ptrdiff_t>(head * dim);
        const std::vector<double> part(left.begin() + at,
                                       left.begin() + at + static_cast<std::ptrdiff_t>(dim));
        const float* rotation = &book.rotations[head * dim * dim];
        std::vector<double> z = times(rotation, dim, part);
        const auto codes =
            to_nearest(z, &book.head_centroids[head * dim * kCentroids], book.head_bytes[head]);
        expected.codes.insert(expected.codes.end(), codes.begin(), codes.end());
        std::vector<double> back(dim, 0);
        add_transposed(rotation, z, 1, back);
        for (std::size_t i = 0; i < dim; ++i) said[head * dim + i] += back[i];
    }
    for (std::size_t i = 0; i < kv.size(); ++i)
        expected.kv.push_back(static_cast<double>(book.centre[i]) +
                              said[i] / static_cast<double>(book.scale[i]));
    return expected;
}

TEST(GistCoderTest, CodesNameTheNearestCentroidsAndDecodeToThem) {
    for (const std::uint32_t shared_bytes : {0U, 3U})
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const GistCodebook book = random_codebook(kEncoder, shared_bytes, seed);
            const auto coder = coder_of(book);
            Rng rng(seed);
            const auto kv = random_kv(rng, book.shape.kv_count());
            const Expected expected = by_hand(book, kv);
            std::vector<std::byte> bytes(coder->gist_bytes());
            ASSERT_TRUE(coder->encode(kv, bytes));
            std::vector<std::uint16_t> decoded(kv.size());
            coder->decode(bytes, decoded);
            ASSERT_EQ(bytes.size(), expected.codes.size());
            for (std::size_t b = 0; b < bytes.size(); ++b)
                ASSERT_EQ(std::to_integer<unsigned>(bytes[b]), expected.codes[b]) << b;
            for (std::size_t i = 0; i < kv.size(); ++i)
                ASSERT_NEAR(static_cast<double>(half_to_float(decoded[i])), expected.kv[i], 4e-3);
        }
}

TEST(GistCoderTest, BytesOfAGistAreTheSharedOnesAndEveryHeads) {
    const GistCodebook book = random_codebook(kEncoder, 3);
    EXPECT_EQ(coder_of(book)->gist_bytes(), 3U + 6 * 2 + 6 * 1);
    EXPECT_EQ((*GistCoder::make(GistCodec::kInt4, kEncoder.shape, nullptr))->gist_bytes(),
              encoded_gist_bytes(GistCodec::kInt4, kEncoder.shape));
}

TEST(GistCoderTest, AnyBytesDecodeToFiniteNumbers) {
    GistCodebook book = random_codebook(kEncoder, 3);
    book.centre[0] = 1e6F;  // beyond binary16
    const auto coder = coder_of(book);
    Rng rng(4);
    std::vector<std::byte> bytes(coder->gist_bytes());
    std::vector<std::uint16_t> decoded(book.shape.kv_count());
    for (int i = 0; i < 100; ++i) {
        for (std::byte& one : bytes) one = static_cast<std::byte>(rng.below(256));
        coder->decode(bytes, decoded);
        EXPECT_EQ(half_to_float(decoded[0]), 65504.0F);
        for (const std::uint16_t half : decoded) ASSERT_TRUE(std::isfinite(half_to_float(half)));
    }
}

TEST(GistCoderTest, WhatIsNotFiniteIsRefused) {
    const GistCodebook book = random_codebook(kEncoder, 3);
    const auto coder = coder_of(book);
    std::vector<std::uint16_t> kv(book.shape.kv_count(), 0x3c00);
    std::vector<std::byte> bytes(coder->gist_bytes());
    ASSERT_TRUE(coder->encode(kv, bytes));
    kv.back() = 0x7c00;
    EXPECT_EQ(coder->encode(kv, bytes).error().code(), ErrorCode::kModel);
}

TEST(GistCoderTest, PqNeedsACodebookOfItsShape) {
    const GistCodebook book = random_codebook(kEncoder, 3);
    EXPECT_EQ(GistCoder::make(GistCodec::kPq, kEncoder.shape, nullptr).error().code(),
              ErrorCode::kUsage);
    EXPECT_EQ(GistCoder::make(GistCodec::kPq, {3, 2, 8, 0}, &book).error().code(),
              ErrorCode::kUsage);
}

TEST(GistCoderTest, ACodebookWhosePartsDoNotFitIsRefused) {
    const std::vector<std::function<void(GistCodebook&)>> faults = {
        [](GistCodebook& b) { b.shape.head_dim = 0; },
        [](GistCodebook& b) { b.shared_bytes = 4; },
        [](GistCodebook& b) { b.shared_bytes = 0; },
        [](GistCodebook& b) { b.shared_dims = kSharedDimsMax + 2; },
        [](GistCodebook& b) { b.head_bytes.pop_back(); },
        [](GistCodebook& b) { b.head_bytes[1] = 3; },
        [](GistCodebook& b) { b.head_bytes[1] = 0; },
        [](GistCodebook& b) { b.centre.pop_back(); },
        [](GistCodebook& b) { b.centre[3] = std::numeric_limits<float>::quiet_NaN(); },
        [](GistCodebook& b) { b.scale[3] = 0; },
        [](GistCodebook& b) { b.scale[3] = -1; },
        [](GistCodebook& b) { b.shared_basis.push_back(0); },
        [](GistCodebook& b) { b.shared_centroids.pop_back(); },
        [](GistCodebook& b) { b.rotations.pop_back(); },
        [](GistCodebook& b) { b.head_centroids[0] = std::numeric_limits<float>::infinity(); },
    };
    const GistCodebook sound = random_codebook(kEncoder, 3);
    ASSERT_TRUE(check_codebook(sound));
    for (std::size_t i = 0; i < faults.size(); ++i) {
        GistCodebook book = sound;
        faults[i](book);
        const auto refused = check_codebook(book);
        ASSERT_FALSE(refused) << i;
        EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput) << i;
    }
}

}  // namespace
}  // namespace mc::storage
