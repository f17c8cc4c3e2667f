// SPDX-License-Identifier: Apache-2.0
// The device's decoding of pq gists against the codec's own.
#include <gtest/gtest.h>

#include "storage/codec/gist_coder.h"
#include "tests/cuda/both_orders.h"
#include "tests/support/codebook_fixture.h"

namespace mc::cuda::test {
namespace {

const EncoderInfo kEncoder{"fake", {5, 6}, {3, 2, 4, 0}};

struct Book {
    explicit Book(std::uint32_t shared_bytes)
        : plain(storage::random_codebook(kEncoder, shared_bytes)) {
        starts.push_back(static_cast<std::int32_t>(shared_bytes));
        for (const std::uint8_t bytes : plain.head_bytes) starts.push_back(starts.back() + bytes);
    }

    CodebookView view() const {
        return {plain.centre.data(),
                plain.scale.data(),
                plain.shared_basis.data(),
                plain.shared_centroids.data(),
                plain.rotations.data(),
                plain.head_centroids.data(),
                starts.data(),
                static_cast<int>(plain.head_count()),
                static_cast<int>(plain.shape.head_dim),
                static_cast<int>(plain.shared_dims),
                static_cast<int>(plain.shared_bytes)};
    }

    storage::GistCodebook plain;
    std::vector<std::int32_t> starts;
};

// In ascending order, so that neighbours differ by one.
int rank_of(std::uint16_t half) {
    return half >= 0x8000 ? 0x8000 - half : half;
}

// More gists than a block takes, and a last block that is not full.
TEST(DecodeCodes, gives_the_codecs_numbers_within_a_step_of_binary16) {
    for (const std::uint32_t shared_bytes : {0U, 3U}) {
        Book book(shared_bytes);
        book.plain.centre[7] = 65000;  // beyond what binary16 holds, with some codes
        book.plain.scale[7] = 1e-4F;
        const auto coder =
            storage::GistCoder::make(storage::GistCodec::kPq, book.plain.shape, &book.plain)
                .value();
        const std::size_t bytes = coder->gist_bytes();
        const std::size_t width = book.plain.centre.size();
        constexpr std::size_t kGists = 21;
        Rng rng(3);
        std::vector<std::uint8_t> codes;
        for (std::size_t i = 0; i < kGists * bytes; ++i)
            codes.push_back(static_cast<std::uint8_t>(rng.uniform() * 256));
        std::vector<Half> out(kGists * width, Half{0x7e00});
        run_in_both_orders(DecodeCodes{book.view(), codes.data(), out.data(), kGists}, out);
        bool is_clamped = false;
        for (std::size_t gist = 0; gist < kGists; ++gist) {
            std::vector<std::uint16_t> exact(width);
            coder->decode(std::as_bytes(std::span(codes)).subspan(gist * bytes, bytes), exact);
            for (std::size_t i = 0; i < width; ++i) {
                const std::uint16_t bits = out[gist * width + i].bits;
                is_clamped |= bits == 0x7bff;
                // Near 0 rounding of the sums counts for more than a step.
                if (std::abs(to_float(Half{bits}) - to_float(Half{exact[i]})) < 1e-5F) continue;
                ASSERT_LE(std::abs(rank_of(bits) - rank_of(exact[i])), 1)
                    << "gist " << gist << ", number " << i;
            }
        }
        EXPECT_TRUE(is_clamped);
    }
}

}  // namespace
}  // namespace mc::cuda::test
