// SPDX-License-Identifier: Apache-2.0
#include "cuda/kernel_limits.h"

#include <string>

#include "core/span_math.h"

namespace mc::cuda {
namespace {

static_assert(kSlots == kBlockSize, "a gist stands for a block of the tree");

tl::unexpected<Error> refuse(const std::string& what) {
    return fail(ErrorCode::kUsage, "kernel: " + what);
}

}  // namespace

Result<void> check_grid(std::int64_t block_count, std::size_t shared_bytes) {
    if (block_count < 0 || block_count > kGridBlocksMax)
        return refuse(std::to_string(block_count) + " blocks of threads; a grid has at most " +
                      std::to_string(kGridBlocksMax));
    if (shared_bytes > kSharedBytesMax)
        return refuse(std::to_string(shared_bytes) + " bytes of shared memory; a block has " +
                      std::to_string(kSharedBytesMax));
    return {};
}

Result<void> check_attention(const Attention& attention) {
    const int dim = attention.head_dim;
    if (dim <= 0 || dim > kHeadDimMax || dim % kTileSize != 0)
        return refuse("heads of " + std::to_string(dim) +
                      " numbers; attention takes multiples of " + std::to_string(kTileSize) +
                      " up to " + std::to_string(kHeadDimMax));
    if (attention.batch < 0 || attention.steps < 0 || attention.kv_heads <= 0 ||
        attention.group <= 0)
        return refuse("a negative number of texts, steps or heads");
    if (attention.cache_batch_stride % 8 != 0 || attention.cache_head_stride % 8 != 0)
        return refuse("keys and values that are not apart by multiples of eight numbers");
    return {};
}

Result<void> check_kernel(const AttendParts& kernel) {
    MC_TRY(check_attention(kernel.in));
    if (kernel.in.steps != 1)
        return refuse(std::to_string(kernel.in.steps) + " queries of a head; it takes one");
    if (kernel.in.group > AttendParts::kGroupMax)
        return refuse(std::to_string(kernel.in.group) + " query heads share a KV head; at most " +
                      std::to_string(AttendParts::kGroupMax) + " may");
    return {};
}

Result<void> check_width(int width, int multiple) {
    if (width <= 0 || width % multiple != 0)
        return refuse("rows of " + std::to_string(width) + " weights; it takes multiples of " +
                      std::to_string(multiple));
    return {};
}

Result<void> check_pairs(int pairs, int pairs_max) {
    if (pairs <= 0 || pairs > pairs_max)
        return refuse(std::to_string(pairs) + " pairs in a row; it turns 1 to " +
                      std::to_string(pairs_max));
    return {};
}

Result<void> check_pooling_queries(int queries, int queries_max) {
    if (queries <= 0 || queries > queries_max)
        return refuse(std::to_string(queries) + " pooling queries; it takes 1 to " +
                      std::to_string(queries_max));
    return {};
}

Result<void> check_codebook_view(const CodebookView& book) {
    if (book.heads <= 0 || book.head_dim <= 0) return refuse("a codebook without heads");
    const bool is_shared = book.shared_dims > 0;
    if (is_shared != (book.shared_bytes > 0) ||
        (is_shared && book.shared_dims % book.shared_bytes != 0))
        return refuse("shared bytes that do not divide the shared dimensions");
    return {};
}

}  // namespace mc::cuda
