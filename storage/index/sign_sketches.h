// SPDX-License-Identifier: Apache-2.0
// The signs of vectors, a bit a number: in how many two vectors differ says roughly how far apart
// they point, and is told many times as fast as their product.
//
// Threads: const methods share, changes exclude. Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mc::storage {

class SignSketches {
  public:
    explicit SignSketches(std::uint32_t dim);

    // Words of one sketch.
    std::size_t words_each() const { return words_each_; }

    // Requires: words_each() words, a bit for each negative number (vector_codec.h).
    void add(std::span<const std::uint64_t> signs);
    // The last one takes its position.
    void remove(std::size_t position);

    std::size_t size() const { return words_.size() / words_each_; }

    // Of each sketch, in how many signs it differs from the query's.
    std::vector<std::uint16_t> differences(std::span<const std::uint64_t> query) const;

  private:
    std::size_t words_each_;
    std::vector<std::uint64_t> words_;
};

}  // namespace mc::storage
