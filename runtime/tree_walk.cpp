// SPDX-License-Identifier: Apache-2.0
#include "runtime/tree_walk.h"

#include <algorithm>

#include "core/span_math.h"
#include "core/utf8.h"
#include "tree/cover.h"

namespace mc::runtime {
namespace {

std::vector<CoverPiece> children_of(NodeId node) {
    const TokenSpan span = span_of(node);
    if (node.level == Level(1)) return {{Level(0), span}};
    const Level below(static_cast<std::uint8_t>(node.level.value - 1));
    std::vector<CoverPiece> children;
    for (std::uint64_t at = span.begin; at < span.end; at += tokens_per_node(below))
        children.push_back({below, {at, at + tokens_per_node(below)}});
    return children;
}

bool exists(const DocumentRecord& document, NodeId node) {
    return node.level >= Level(1) && node.level <= top_level(document.token_count) &&
           node.index.value < node_count(document.token_count, node.level);
}

}  // namespace

Result<std::vector<TreePiece>> walk_tree(const BankText& text, const DocumentRecord& document,
                                         std::optional<NodeId> node) {
    if (node && !exists(document, *node))
        return fail(ErrorCode::kInvalidInput, "there is no node " + to_string(*node));
    const std::uint64_t count = document.token_count;
    std::vector<TreePiece> pieces;
    for (const CoverPiece& piece :
         node ? children_of(*node) : coarsest_cover({0, count}, tail_begin(count))) {
        const std::uint64_t shown_end = std::min(piece.span.end, piece.span.begin + kBlockSize);
        MC_ASSIGN(const ByteSpan bytes, text.byte_span_of(document.id, piece.span));
        MC_ASSIGN(const std::string begin,
                  text.read_text(document.id, {piece.span.begin, shown_end}));
        pieces.push_back({piece.level, piece.span, bytes,
                          to_valid_utf8(begin) + (shown_end < piece.span.end ? "…" : "")});
    }
    return pieces;
}

}  // namespace mc::runtime
