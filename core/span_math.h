// SPDX-License-Identifier: Apache-2.0
// Arithmetic of spans and levels: which tokens a node stands for, who its parent and children are.
//
// Pure constexpr functions; a wrong argument is a bug (MC_CHECK). A document of n tokens has
// floor(n / 32^L) nodes at level L; the rest is the tail.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/check.h"
#include "core/ids.h"

namespace mc {

// Children per block, at every level.
inline constexpr std::uint64_t kBlockSize = 32;
inline constexpr unsigned kBlockBits = 5;

// 32^12 = 2^60 tokens: beyond any document, and no span arithmetic can overflow 64 bits below it.
inline constexpr Level kLevelMax{12};

// Longest document, in tokens: positions and counts stay below it.
inline constexpr std::uint64_t kDocumentTokensMax = 1ULL << 40;

// 32^level.
constexpr std::uint64_t tokens_per_node(Level level) {
    MC_CHECK(level <= kLevelMax, "level beyond kLevelMax");
    return 1ULL << (kBlockBits * level.value);
}

// Number of complete nodes at a level in a document of token_count tokens.
constexpr std::uint64_t node_count(std::uint64_t token_count, Level level) {
    return token_count >> (kBlockBits * level.value);
}

// Highest level at which a document of token_count tokens has a complete node; 0 when it has none.
constexpr Level top_level(std::uint64_t token_count) {
    Level level{0};
    while (level < kLevelMax && node_count(token_count, Level(level.value + 1)) > 0)
        level = Level(level.value + 1);
    return level;
}

constexpr TokenSpan span_of(Level level, NodeIndex index) {
    const std::uint64_t width = tokens_per_node(level);
    MC_CHECK(index.value < (kDocumentTokensMax * 2) / width + 1, "node index beyond any document");
    return {index.value * width, (index.value + 1) * width};
}

constexpr TokenSpan span_of(NodeId node) {
    return span_of(node.level, node.index);
}

constexpr NodeId parent_of(NodeId node) {
    MC_CHECK(node.level < kLevelMax, "no parent above kLevelMax");
    return {node.document, Level(node.level.value + 1), NodeIndex(node.index.value >> kBlockBits)};
}

// The slot of a node among its parent's 32 children.
constexpr std::uint64_t slot_in_parent(NodeId node) {
    return node.index.value & (kBlockSize - 1);
}

// The child of a node of level ≥ 2 at slot 0…31.
constexpr NodeId child_of(NodeId node, std::uint64_t slot) {
    MC_CHECK(node.level.value >= 2, "children of a level 1 node are tokens");
    MC_CHECK(slot < kBlockSize, "slot beyond the block");
    return {node.document, Level(node.level.value - 1),
            NodeIndex((node.index.value << kBlockBits) + slot)};
}

// The node of a level whose span holds a token position.
constexpr NodeIndex node_holding(std::uint64_t token, Level level) {
    return NodeIndex(token >> (kBlockBits * level.value));
}

constexpr bool is_block_aligned(TokenSpan span, Level level) {
    const std::uint64_t mask = tokens_per_node(level) - 1;
    return (span.begin & mask) == 0 && (span.end & mask) == 0;
}

// First position of the tail: the newest tokens that fill no level 1 block yet.
constexpr std::uint64_t tail_begin(std::uint64_t token_count) {
    return token_count & ~(kBlockSize - 1);
}

static_assert(tokens_per_node(Level(0)) == 1);
static_assert(tokens_per_node(Level(1)) == kBlockSize);
static_assert(tokens_per_node(Level(2)) == 1024);
static_assert(tokens_per_node(kLevelMax) == 1ULL << 60);
static_assert(node_count(1023, Level(2)) == 0 && node_count(1024, Level(2)) == 1);
static_assert(top_level(31) == Level(0) && top_level(32) == Level(1));
static_assert(top_level(32 * 32 - 1) == Level(1) && top_level(32 * 32) == Level(2));
static_assert(span_of(Level(2), NodeIndex(3)) == TokenSpan{3072, 4096});

}  // namespace mc
