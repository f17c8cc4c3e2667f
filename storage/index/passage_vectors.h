// SPDX-License-Identifier: Apache-2.0
// The vectors of a bank's passages in memory, as codes, and the search among them.
//
// Up to kExactVectorsMax codes are all compared with the question; of more, those whose signs agree
// best with the question's. Threads: searches share, changes exclude. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/index/passage_key.h"
#include "storage/index/passage_words.h"
#include "storage/index/sign_sketches.h"
#include "storage/index/vector_codec.h"

namespace mc::storage {

// Vectors that are compared exactly, as far as their codes go.
inline constexpr std::size_t kExactVectorsMax = 4096;

class PassageVectors {
  public:
    // Borrows the codec.
    PassageVectors(const VectorCodec& codec, std::uint32_t dim);

    // Requires: code holds the codec's bytes.
    void add(std::int64_t key, std::span<const std::byte> code);
    // A key that is not there is passed over. Cost: less the later it was added.
    void remove(std::int64_t key);

    std::size_t size() const { return keys_.size(); }

    // Best first, equal ones newest first; ranges as in search_words().
    std::vector<KeyScore> search(std::span<const float> query, std::size_t count,
                                 std::span<const KeyRange> ranges) const;

  private:
    std::vector<std::size_t> positions_in(std::span<const KeyRange> ranges) const;
    void keep_most_alike(std::span<const float> query, std::size_t kept,
                         std::vector<std::size_t>& positions) const;
    std::vector<std::size_t> most_alike(std::span<const float> query, std::size_t kept) const;
    std::vector<std::uint16_t> differences(std::span<const float> query) const;

    const VectorCodec& codec_;
    const std::uint32_t dim_;
    std::vector<std::int64_t> keys_;
    std::vector<std::byte> codes_;  // by position in keys_
    SignSketches sketches_;         // as codes_
};

}  // namespace mc::storage
