// SPDX-License-Identifier: Apache-2.0
// What a kernel cannot do is refused by name, before anything runs.
#include <gtest/gtest.h>

#include "cuda/kernel_limits.h"

namespace mc::cuda::test {
namespace {

std::string said(const Result<void>& result) {
    return result ? "" : result.error().message();
}

Attention attention_of(int group, int head_dim) {
    Attention out{};
    out.batch = out.steps = out.kv_heads = 1;
    out.group = group;
    out.head_dim = head_dim;
    return out;
}

TEST(KernelLimits, heads_must_consist_of_whole_tiles) {
    EXPECT_EQ(said(check_limits(AttendTiles{attention_of(3, 64), nullptr})), "");
    EXPECT_EQ(said(check_limits(AttendTiles{attention_of(3, 256), nullptr})), "");
    EXPECT_EQ(said(check_limits(AttendTiles{attention_of(3, 40), nullptr})),
              "kernel: heads of 40 numbers; attention takes multiples of 16 up to 256");
    EXPECT_NE(said(check_limits(AttendTiles{attention_of(3, 272), nullptr})), "");
    EXPECT_NE(said(check_limits(AttendTiles{attention_of(3, 0), nullptr})), "");
}

TEST(KernelLimits, a_part_takes_one_query_of_at_most_sixteen_heads) {
    AttendParts kernel{attention_of(16, 64), {}, 10};
    EXPECT_EQ(said(check_limits(kernel)), "");
    kernel.in.group = 17;
    EXPECT_EQ(said(check_limits(kernel)), "kernel: 17 query heads share a KV head; at most 16 may");
    kernel.in.group = 16;
    kernel.in.steps = 2;
    EXPECT_EQ(said(check_limits(kernel)), "kernel: 2 queries of a head; it takes one");
}

TEST(KernelLimits, keys_must_lie_where_eight_move_at_once) {
    Attention in = attention_of(1, 16);
    in.cache_head_stride = 100;
    EXPECT_EQ(said(check_limits(AttendTiles{in, nullptr})),
              "kernel: keys and values that are not apart by multiples of eight numbers");
}

TEST(KernelLimits, grids_and_shared_memory_have_an_end) {
    EXPECT_EQ(said(check_limits(Dequantize<F16, float>{nullptr, nullptr, 1LL << 40})), "");
    EXPECT_EQ(said(check_limits(Dequantize<F16, float>{nullptr, nullptr, 1LL << 42})),
              "kernel: 4294967296 blocks of threads; a grid has at most 2147483647");
    DecodeCodes codes{};
    codes.book.heads = 1;
    codes.book.head_dim = 64;
    codes.book.shared_dims = 3072;
    codes.book.shared_bytes = 64;
    EXPECT_EQ(said(check_limits(codes)), "");
    codes.book.shared_dims = 4096;
    EXPECT_EQ(said(check_limits(codes)),
              "kernel: 266240 bytes of shared memory; a block has 232448");
    codes.book.shared_bytes = 63;
    EXPECT_EQ(said(check_limits(codes)),
              "kernel: shared bytes that do not divide the shared dimensions");
    codes.book.shared_bytes = 0;
    EXPECT_NE(said(check_limits(codes)), "");
}

TEST(KernelLimits, rows_of_weights_must_consist_of_whole_blocks) {
    MultiplyRow<Q4_1> kernel{};
    kernel.width = 576;
    EXPECT_EQ(said(check_limits(kernel)), "");
    kernel.width = 584;
    EXPECT_EQ(said(check_limits(kernel)), "kernel: rows of 584 weights; it takes multiples of 32");
    EXPECT_NE(said(check_limits(MultiplyRow<F16>{})), "");
    MultiplyRow<F16> plain{};
    plain.width = 584;
    EXPECT_EQ(said(check_limits(plain)), "");
}

TEST(KernelLimits, a_block_turns_whole_rows) {
    RotateRows<Half, Bf16> kernel{};
    kernel.pairs = 256;
    EXPECT_EQ(said(check_limits(kernel)), "");
    kernel.pairs = 257;
    EXPECT_EQ(said(check_limits(kernel)), "kernel: 257 pairs in a row; it turns 1 to 256");
}

TEST(KernelLimits, a_thread_keeps_the_scores_of_sixteen_pooling_queries) {
    PoolBlocks<float> pool{};
    pool.queries = 16;
    EXPECT_EQ(said(check_limits(pool)), "");
    pool.queries = 17;
    EXPECT_EQ(said(check_limits(pool)), "kernel: 17 pooling queries; it takes 1 to 16");
}

}  // namespace
}  // namespace mc::cuda::test
