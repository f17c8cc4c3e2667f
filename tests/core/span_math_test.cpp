// SPDX-License-Identifier: Apache-2.0
#include "core/span_math.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <unordered_set>

namespace mc {
namespace {

// A level and the index of a node that a longest document may hold there.
rc::Gen<NodeId> any_node(int level_min, int level_max) {
    return rc::gen::mapcat(rc::gen::inRange(level_min, level_max + 1), [](int level) {
        const Level l(static_cast<std::uint8_t>(level));
        const std::uint64_t count = node_count(kDocumentTokensMax, l);
        return rc::gen::map(rc::gen::inRange<std::uint64_t>(0, count), [l](std::uint64_t index) {
            return NodeId{DocumentId(7), l, NodeIndex(index)};
        });
    });
}

rc::Gen<std::uint64_t> any_token_count() {
    return rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 5000),
                          rc::gen::inRange<std::uint64_t>(0, kDocumentTokensMax));
}

TEST(SpanMath, levels_multiply_by_the_block_size) {
    for (std::uint8_t level = 0; level < kLevelMax.value; ++level)
        EXPECT_EQ(tokens_per_node(Level(static_cast<std::uint8_t>(level + 1))),
                  tokens_per_node(Level(level)) * kBlockSize);
}

TEST(SpanMath, an_empty_document_has_no_nodes_and_no_tail) {
    EXPECT_EQ(top_level(0), Level(0));
    EXPECT_EQ(node_count(0, Level(1)), 0u);
    EXPECT_EQ(tail_begin(0), 0u);
}

TEST(SpanMath, a_node_prints_as_document_level_index) {
    EXPECT_EQ(to_string(NodeId{DocumentId(7), Level(2), NodeIndex(13)}), "d7/L2/13");
}

RC_GTEST_PROP(SpanMathProperty, a_parent_spans_exactly_its_32_children, ()) {
    const NodeId parent = *any_node(2, 7);
    std::uint64_t next = span_of(parent).begin;
    for (std::uint64_t slot = 0; slot < kBlockSize; ++slot) {
        const NodeId child = child_of(parent, slot);
        RC_ASSERT(parent_of(child) == parent);
        RC_ASSERT(slot_in_parent(child) == slot);
        RC_ASSERT(span_of(child).begin == next);
        RC_ASSERT(span_of(parent).contains(span_of(child)));
        next = span_of(child).end;
    }
    RC_ASSERT(next == span_of(parent).end);
}

RC_GTEST_PROP(SpanMathProperty, a_node_holds_each_token_of_its_span_and_no_neighbour, ()) {
    const NodeId node = *any_node(1, 7);
    const TokenSpan span = span_of(node);
    const std::uint64_t inside = *rc::gen::inRange(span.begin, span.end);
    RC_ASSERT(node_holding(inside, node.level) == node.index);
    RC_ASSERT(node_holding(span.end, node.level) == NodeIndex(node.index.value + 1));
    RC_ASSERT(is_block_aligned(span, node.level));
    RC_ASSERT(span.count() == tokens_per_node(node.level));
}

RC_GTEST_PROP(SpanMathProperty, complete_nodes_and_the_tail_cover_the_document_once, ()) {
    const std::uint64_t count = *any_token_count();
    RC_ASSERT(node_count(count, Level(1)) * kBlockSize == tail_begin(count));
    RC_ASSERT(tail_begin(count) <= count);
    RC_ASSERT(count - tail_begin(count) < kBlockSize);
}

RC_GTEST_PROP(SpanMathProperty, the_top_level_is_the_last_one_with_a_complete_node, ()) {
    const std::uint64_t count = *any_token_count();
    const Level top = top_level(count);
    RC_ASSERT(top == Level(0) || node_count(count, top) > 0);
    RC_ASSERT(node_count(count, Level(static_cast<std::uint8_t>(top.value + 1))) == 0);
}

RC_GTEST_PROP(SpanMathProperty, different_nodes_of_a_level_never_overlap, ()) {
    const NodeId a = *any_node(1, 6);
    const std::uint64_t count = node_count(kDocumentTokensMax, a.level);
    const NodeId b{a.document, a.level, NodeIndex(*rc::gen::inRange<std::uint64_t>(0, count))};
    RC_PRE(a != b);
    const TokenSpan first = span_of(std::min(a, b));
    const TokenSpan second = span_of(std::max(a, b));
    RC_ASSERT(first.end <= second.begin);
}

TEST(NodeIdHash, tells_the_nodes_of_a_document_apart) {
    std::unordered_set<std::size_t> seen;
    for (std::uint64_t document = 1; document <= 8; ++document)
        for (std::uint8_t level = 1; level <= 4; ++level)
            for (std::uint64_t index = 0; index < 64; ++index)
                seen.insert(std::hash<NodeId>{}(
                    NodeId{DocumentId(document), Level(level), NodeIndex(index)}));
    EXPECT_EQ(seen.size(), 8u * 4u * 64u);
}

TEST(SpanMathDeathTest, misuse_is_a_bug_not_an_answer) {
    EXPECT_DEATH(tokens_per_node(Level(13)), "level beyond kLevelMax");
    EXPECT_DEATH(child_of(NodeId{DocumentId(1), Level(1), NodeIndex(0)}, 0), "are tokens");
    EXPECT_DEATH(child_of(NodeId{DocumentId(1), Level(2), NodeIndex(0)}, 32), "slot beyond");
}

}  // namespace
}  // namespace mc
