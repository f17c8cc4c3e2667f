// SPDX-License-Identifier: Apache-2.0
// A stored document's tree as a graph: to look at it and to prove that it hangs together.
//
// Vertices are the document, its gists and, at level 0, its raw runs, as the store has them and not
// as arithmetic says. Edges go from parent to child; the document is the parent of every node whose
// own parent is not complete yet, and of the tail.
// Cost: reads every gist of the extent; memory grows with their number.
// Errors: kInvalidInput for a document that the bank does not have or a span outside it; those of
// the store's reads.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "tree/node_store.h"

namespace mc {

// The part of a tree to draw: the nodes that touch the span, down to a level.
struct TreeExtent {
    TokenSpan span;
    Level level_min{1};  // 0 draws the raw runs too
};

// Graphviz text, one vertex a node, labelled with level, index, span and mean NLL where known.
Result<std::string> tree_dot(const NodeStore& store, DocumentId document, const TreeExtent& extent);

// One line per fault; empty when every token of the document is reached from it exactly once, over
// nodes whose children lie within them, and no group of gists is an orphan.
Result<std::vector<std::string>> reachability_violations(const NodeStore& store,
                                                         DocumentId document);

}  // namespace mc
