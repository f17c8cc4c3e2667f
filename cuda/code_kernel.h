// SPDX-License-Identifier: Apache-2.0
// Gists in the codec pq to keys and values: codebook lookup, and the linear maps behind it.
//
// The formula and the meaning of every array: storage/codec/gist_codebook.h. Of a gist's N numbers
// a block decodes those of one head for kGists gists, so that the basis, which is what there is to
// read, is read once for all of them:
//   y_d = Σ_r basis[r, d] c_r + Σ_j rotation[j, d] z_j,   x_d = centre_d + y_d / scale_d
// with c and z looked up by the codes. x is clamped to binary16's range and rounded to it, as
// CodebookCoder::decode() does; sums run in another order than its BLAS, so a number may end one
// step of binary16 beside it.
#pragma once

#include "cuda/numbers.h"

namespace mc::cuda {

// Letters: N = heads × head_dim numbers of a gist; heads are layers × 2 × KV heads.
struct CodebookView {
    const float* centre;              // (N)
    const float* scale;               // (N)
    const float* shared_basis;        // (shared_dims, N)
    const float* shared_centroids;    // (shared_bytes, 256, shared_dims / shared_bytes)
    const float* rotations;           // (heads, head_dim, head_dim)
    const float* head_centroids;      // (heads, 256 × head_dim)
    const std::int32_t* head_starts;  // (heads + 1): where a head's codes begin in a gist's
    int heads;
    int head_dim;
    int shared_dims;   // 0: no shared stage
    int shared_bytes;  // divides shared_dims
};

struct DecodeCodes {
    static constexpr int kThreads = 64;
    static constexpr int kGists = 16;  // a multiple of 4
    static constexpr int kCentroidsPerByte = 256;

    CodebookView book;
    const std::uint8_t* codes;  // (gists, gist_bytes), the last head_starts
    Half* out;                  // (gists, N)
    std::int64_t gists;

    std::int64_t block_count() const { return divide_up(gists, kGists) * book.heads; }

    std::size_t shared_bytes() const {
        return shared_size<float>(book.shared_dims * kGists) +
               shared_size<float>(book.head_dim * kGists);
    }

    template <class Block>
    MC_DEVICE void run(Block& block) const {
        const int head = static_cast<int>(block.index() % book.heads);
        const std::int64_t first = block.index() / book.heads * kGists;
        float* shared_part = block.template share<float>(book.shared_dims * kGists);
        float* head_part = block.template share<float>(book.head_dim * kGists);
        const int start = book.head_starts[head];
        const int head_bytes = book.head_starts[head + 1] - start;
        const float* centroids =
            book.head_centroids + std::int64_t{head} * kCentroidsPerByte * book.head_dim;
        block.each([&](int thread) {
            look_up(first, 0, book.shared_bytes, book.shared_dims, book.shared_centroids, thread,
                    shared_part);
            look_up(first, start, head_bytes, book.head_dim, centroids, thread, head_part);
        });
        block.each([&](int thread) {
            for (int d = thread; d < book.head_dim; d += kThreads)
                decode(first, head, d, shared_part, head_part);
        });
    }

  private:
    // to (dims, kGists): what the codes from byte start on say; 0 beyond the last gist.
    MC_DEVICE void look_up(std::int64_t first, int start, int bytes, int dims,
                           const float* centroids, int thread, float* to) const {
        if (dims == 0) return;
        const int gist_bytes = book.head_starts[book.heads];
        const int share = dims / bytes;
        for (int i = thread; i < dims * kGists; i += kThreads) {
            const std::int64_t gist = first + i % kGists;
            const int dim = i / kGists;
            const int byte = dim / share;
            to[i] = 0;
            if (gist >= gists) continue;
            const int code = codes[gist * gist_bytes + start + byte];
            to[i] = centroids[(byte * kCentroidsPerByte + code) * share + dim % share];
        }
    }

    MC_DEVICE void decode(std::int64_t first, int head, int d, const float* shared_part,
                          const float* head_part) const {
        constexpr float kHalfMax = 65504;
        const int width = book.heads * book.head_dim;
        const int at = head * book.head_dim + d;
        float y[kGists] = {};
        add_mapped(book.shared_basis + at, width, book.shared_dims, shared_part, y);
        add_mapped(book.rotations + std::int64_t{head} * book.head_dim * book.head_dim + d,
                   book.head_dim, book.head_dim, head_part, y);
        for (int g = 0; g < kGists && first + g < gists; ++g) {
            const float x = book.centre[at] + y[g] / book.scale[at];
            const float bounded = x < -kHalfMax ? -kHalfMax : x > kHalfMax ? kHalfMax : x;
            out[(first + g) * width + at] = from_float<Half>(bounded);
        }
    }

    // Four sums that move at once: the parts, read once for every product, are what bounds it.
    struct alignas(16) FourNumbers {
        float numbers[4];
    };

    // y[g] += Σ_r column[r × stride] × part[r, g]
    MC_DEVICE static void add_mapped(const float* column, int stride, int dims, const float* part,
                                     float* y) {
        for (int r = 0; r < dims; ++r) {
            const float weight = column[std::int64_t{r} * stride];
            for (int g = 0; g < kGists; g += 4) {
                const FourNumbers four =
                    *reinterpret_cast<const FourNumbers*>(part + r * kGists + g);
                for (int n = 0; n < 4; ++n) y[g + n] += weight * four.numbers[n];
            }
        }
    }
};

}  // namespace mc::cuda
