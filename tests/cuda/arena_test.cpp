// SPDX-License-Identifier: Apache-2.0
// Pieces of one allocation, here of the host's memory.
#include "cuda/arena.h"

#include <gtest/gtest.h>

#include <vector>

namespace mc::cuda::test {
namespace {

TEST(Arena, pieces_are_apart_and_begin_at_its_alignment) {
    std::vector<std::byte> memory(1024);
    Arena arena(memory.data(), memory.size());
    auto* first = arena.take<char>(1).value();
    auto* second = arena.take<double>(32).value();
    auto* third = arena.take<char>(1).value();
    EXPECT_EQ(reinterpret_cast<std::byte*>(first), memory.data());
    EXPECT_EQ(reinterpret_cast<std::byte*>(second), memory.data() + 256);
    EXPECT_EQ(reinterpret_cast<std::byte*>(third), memory.data() + 512);
    EXPECT_EQ(arena.used_bytes(), 768U);
    arena.reset();
    EXPECT_EQ(arena.take<char>(1).value(), first);
}

TEST(Arena, what_is_refused_takes_nothing) {
    std::vector<std::byte> memory(1000);
    Arena arena(memory.data(), memory.size());
    ASSERT_TRUE(arena.take<std::byte>(512));
    const auto refused = arena.take<std::byte>(489);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
    EXPECT_EQ(refused.error().message(), "the arena has 488 of 1000 bytes left, not 489");
    ASSERT_TRUE(arena.take<std::byte>(488));  // to the last byte, which is at no multiple
    EXPECT_EQ(arena.used_bytes(), 1000U);
    EXPECT_FALSE(arena.take<std::byte>(1));
    EXPECT_TRUE(arena.take<std::byte>(0));
}

TEST(Arena, a_count_beyond_all_addresses_is_refused) {
    std::vector<std::byte> memory(64);
    Arena arena(memory.data(), memory.size());
    EXPECT_FALSE(arena.take<double>(std::numeric_limits<std::size_t>::max() / 4));
}

}  // namespace
}  // namespace mc::cuda::test
