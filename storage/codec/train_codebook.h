// SPDX-License-Identifier: Apache-2.0
// Finds a codebook for gists, given many of them.
//
// The shared basis is the first principal components of the scaled gists; each head's rotation is
// the principal components of what they leave, dealt out so that every byte carries a like share
// (the parametric form of optimized product quantization: Ge, He, Ke, Sun 2013); a head gets the
// more bytes, the more error they take away there. Centroids are k-means (FAISS).
// The same arguments give the same codebook on the same machine and thread count.
// Threads: one call at a time. Errors: kInvalidInput for too few gists, or for fewer bytes than
// there are heads; kModel for gists that are not finite; kCancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/result.h"
#include "storage/codec/gist_codebook.h"

namespace mc::storage {

struct CodebookTraining {
    std::uint64_t gist_bytes = 0;  // at most, of an encoded gist; 0: one bit per number and the
                                   // shared bytes
    std::uint64_t seed = 1;
    std::uint32_t iterations = 10;  // of k-means
};

// K-means needs at least one gist per centroid.
inline constexpr std::size_t kCodebookGistsMin = kCentroids;

// gists: keys and values as in Gist::kv, in no order. weights (N): how much an error of each number
// matters; empty: as much in every layer's keys and values, relative to their spread. share_done,
// which may be empty, is called with 0 to 1. Hashes and names are left to the caller.
Result<GistCodebook> train_codebook(const GistShape& shape,
                                    std::span<const std::vector<std::uint16_t>> gists,
                                    std::span<const float> weights, const CodebookTraining& options,
                                    const std::function<void(double)>& share_done,
                                    const std::atomic<bool>* cancelled);

}  // namespace mc::storage
