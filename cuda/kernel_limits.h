// SPDX-License-Identifier: Apache-2.0
// What a kernel can be asked for: checked once, before it is launched or run.
//
// Threads: free. Errors: kUsage naming the size that does not fit and the limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/result.h"
#include "cuda/attention_row_kernel.h"
#include "cuda/attention_tile_kernel.h"
#include "cuda/code_kernel.h"
#include "cuda/dequantize_kernel.h"
#include "cuda/pooling_kernel.h"
#include "cuda/product_kernel.h"
#include "cuda/rotate_kernel.h"

namespace mc::cuda {

// Shared memory of one block on compute capability 9.0 (CUDA C++ Programming Guide, technical
// specifications): 227 KiB.
inline constexpr std::size_t kSharedBytesMax = 227UL << 10;

// Blocks of a grid's first dimension (same table).
inline constexpr std::int64_t kGridBlocksMax = 0x7fffffff;

// Tiles of 256 numbers still fit the shared memory of a block.
inline constexpr int kHeadDimMax = 256;

Result<void> check_grid(std::int64_t block_count, std::size_t shared_bytes);
Result<void> check_attention(const Attention& attention);
Result<void> check_width(int width, int multiple);
Result<void> check_pairs(int pairs, int pairs_max);
Result<void> check_pooling_queries(int queries, int queries_max);
Result<void> check_codebook_view(const CodebookView& book);

// What a kernel asks for besides its grid.
template <class Kernel>
Result<void> check_kernel(const Kernel&) {
    return {};
}

inline Result<void> check_kernel(const AttendTiles& kernel) {
    return check_attention(kernel.in);
}

Result<void> check_kernel(const AttendParts& kernel);

inline Result<void> check_kernel(const DecodeCodes& kernel) {
    return check_codebook_view(kernel.book);
}

template <class Format>
Result<void> check_kernel(const MultiplyRow<Format>& kernel) {
    // Both are powers of two.
    return check_width(kernel.width, std::max(Format::kElements, MultiplyRow<Format>::kRun));
}

template <class From, class To>
Result<void> check_kernel(const RotateRows<From, To>& kernel) {
    return check_pairs(kernel.pairs, RotateRows<From, To>::kThreads);
}

template <class From>
Result<void> check_kernel(const PoolBlocks<From>& kernel) {
    return check_pooling_queries(kernel.queries, PoolBlocks<From>::kQueriesMax);
}

template <class Kernel>
Result<void> check_limits(const Kernel& kernel) {
    MC_TRY(check_kernel(kernel));
    return check_grid(kernel.block_count(), kernel.shared_bytes());
}

}  // namespace mc::cuda
