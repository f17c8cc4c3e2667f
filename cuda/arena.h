// SPDX-License-Identifier: Apache-2.0
// Hands out pieces of memory that was allocated once, so that a token's work allocates nothing.
//
// Knows no device: it computes addresses and touches nothing. Ownership: none; whoever owns the
// memory (cuda/device.h) outlives the pieces. Threads: one at a time. Errors: kOutOfSpace from
// take, naming what was asked for and what is left; nothing is taken then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/result.h"

namespace mc::cuda {

class Arena {
  public:
    // Pieces begin at multiples of this, in bytes from the first: the device's widest load is 16
    // bytes, and 256 is what its own allocator gives.
    static constexpr std::size_t kAlignment = 256;

    Arena(std::byte* begin, std::size_t size_bytes) : begin_(begin), size_bytes_(size_bytes) {}

    // Room for count of T, not initialised. Dies at the next reset().
    template <class T>
    Result<T*> take(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T))
            return fail(ErrorCode::kOutOfSpace, "more numbers than an address can count");
        MC_ASSIGN(std::byte * piece, take_bytes(count * sizeof(T)));
        return reinterpret_cast<T*>(piece);
    }

    // All pieces are given back at once.
    void reset() { used_bytes_ = 0; }

    std::size_t used_bytes() const { return used_bytes_; }

    std::size_t size_bytes() const { return size_bytes_; }

  private:
    Result<std::byte*> take_bytes(std::size_t count);

    std::byte* begin_;
    std::size_t size_bytes_;
    std::size_t used_bytes_ = 0;
};

}  // namespace mc::cuda
