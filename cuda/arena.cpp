// SPDX-License-Identifier: Apache-2.0
#include "cuda/arena.h"

#include <algorithm>
#include <string>

namespace mc::cuda {

Result<std::byte*> Arena::take_bytes(std::size_t count) {
    const std::size_t left = size_bytes_ - used_bytes_;
    if (count > left)
        return fail(ErrorCode::kOutOfSpace, "the arena has " + std::to_string(left) + " of " +
                                                std::to_string(size_bytes_) + " bytes left, not " +
                                                std::to_string(count));
    std::byte* piece = begin_ + used_bytes_;
    const std::size_t taken = count > left - left % kAlignment
                                  ? left
                                  : (count + kAlignment - 1) / kAlignment * kAlignment;
    used_bytes_ += taken;
    return piece;
}

}  // namespace mc::cuda
