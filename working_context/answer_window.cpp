// SPDX-License-Identifier: Apache-2.0
#include "working_context/answer_window.h"

#include <algorithm>

#include "tree/cover.h"

namespace mc {
namespace {

struct Piece {
    DocumentId document;
    TokenSpan tokens;

    auto operator<=>(const Piece&) const = default;
};

std::vector<Piece> pieces_of(const AnswerWindow& window) {
    std::vector<Piece> pieces;
    for (const NodeId node : window.background) pieces.push_back({node.document, span_of(node)});
    for (const Passage& passage : window.passages)
        pieces.push_back({passage.document, passage.tokens});
    std::sort(pieces.begin(), pieces.end());
    return pieces;
}

bool overlap(TokenSpan a, TokenSpan b) {
    return a.begin < b.end && b.begin < a.end;
}

bool touches(TokenSpan span, DocumentId document, std::span<const Passage> passages) {
    return std::any_of(passages.begin(), passages.end(), [&](const Passage& passage) {
        return passage.document == document && overlap(passage.tokens, span);
    });
}

// The nodes below one that hold no token of a passage, as coarse as can be.
void open_around(NodeId node, std::span<const Passage> passages, std::vector<NodeId>& out) {
    if (!touches(span_of(node), node.document, passages)) {
        out.push_back(node);
        return;
    }
    if (node.level == Level(1)) return;
    for (std::uint64_t slot = 0; slot < kBlockSize; ++slot)
        open_around(child_of(node, slot), passages, out);
}

std::uint64_t distance(TokenSpan span, std::span<const Passage> passages, DocumentId document) {
    std::uint64_t least = kDocumentTokensMax;
    for (const Passage& passage : passages) {
        if (passage.document != document) continue;
        const std::uint64_t gap = span.end <= passage.tokens.begin ? passage.tokens.begin - span.end
                                  : passage.tokens.end <= span.begin
                                      ? span.begin - passage.tokens.end
                                      : 0;
        least = std::min(least, gap);
    }
    return least;
}

}  // namespace

std::uint64_t AnswerWindow::cost() const {
    std::uint64_t entries = background.size() + separator_entries + reserved_entries;
    for (const Passage& passage : passages) entries += passage.tokens.count();
    return entries;
}

std::uint64_t AnswerWindow::covered_tokens() const {
    std::uint64_t tokens = 0;
    for (const Piece& piece : pieces_of(*this)) tokens += piece.tokens.count();
    return tokens;
}

int AnswerWindow::level_of(DocumentId document, std::uint64_t token) const {
    const auto holds = [token](TokenSpan span) { return span.begin <= token && token < span.end; };
    for (const Passage& passage : passages)
        if (passage.document == document && holds(passage.tokens)) return 0;
    for (const NodeId node : background)
        if (node.document == document && holds(span_of(node))) return node.level.value;
    return -1;
}

std::vector<std::string> answer_window_violations(const AnswerWindow& window,
                                                  std::span<const DocumentShape> shapes) {
    std::vector<std::string> violations;
    if (window.cost() > window.budget_entries)
        violations.push_back("cost " + std::to_string(window.cost()) + " is beyond the budget of " +
                             std::to_string(window.budget_entries));
    const auto shape_of = [&](DocumentId document) {
        const auto found = std::find_if(shapes.begin(), shapes.end(), [&](const auto& shape) {
            return shape.document == document;
        });
        return found == shapes.end() ? DocumentShape{document, 0, 0} : *found;
    };
    for (const NodeId node : window.background)
        if (!shape_of(node.document).has_node(node))
            violations.push_back(to_string(node) + " does not exist or is not complete");
    for (const Passage& passage : window.passages)
        if (passage.tokens.empty() || passage.tokens.end > shape_of(passage.document).token_count)
            violations.push_back(to_string(Entry::raw(passage.document, passage.tokens)) +
                                 " lies outside its document");
    const std::vector<Piece> pieces = pieces_of(window);
    for (std::size_t i = 1; i < pieces.size(); ++i)
        if (pieces[i].document == pieces[i - 1].document &&
            overlap(pieces[i].tokens, pieces[i - 1].tokens))
            violations.push_back(
                to_string(Entry::raw(pieces[i].document, pieces[i].tokens)) +
                " shares tokens with " +
                to_string(Entry::raw(pieces[i - 1].document, pieces[i - 1].tokens)));
    return violations;
}

std::vector<NodeId> background_of(const DocumentShape& shape, std::span<const Passage> passages,
                                  std::size_t count_max) {
    std::vector<NodeId> nodes;
    for (const CoverPiece& piece : coarsest_cover({0, shape.token_count}, shape.gist_end)) {
        if (piece.level == Level(0)) continue;
        open_around({shape.document, piece.level, node_holding(piece.span.begin, piece.level)},
                    passages, nodes);
    }
    std::stable_sort(nodes.begin(), nodes.end(), [&](NodeId a, NodeId b) {
        return distance(span_of(a), passages, shape.document) <
               distance(span_of(b), passages, shape.document);
    });
    if (nodes.size() > count_max) nodes.resize(count_max);
    std::sort(nodes.begin(), nodes.end(),
              [](NodeId a, NodeId b) { return span_of(a).begin < span_of(b).begin; });
    return nodes;
}

}  // namespace mc
