// SPDX-License-Identifier: Apache-2.0
// One step on a way down a document's tree, with the begin of what each piece stands for.
// Threads: one. Errors: kInvalidInput for a node that there is none of; the store's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "runtime/search/bank_text.h"

namespace mc::runtime {

// A node, or at level 0 a run of raw tokens.
struct TreePiece {
    Level level;
    TokenSpan tokens;
    ByteSpan bytes;
    std::string text;  // UTF-8; of a node its first block, and a sign that there is more
};

// Without a node the coarsest cover of the document, else the node's children.
Result<std::vector<TreePiece>> walk_tree(const BankText& text, const DocumentRecord& document,
                                         std::optional<NodeId> node);

}  // namespace mc::runtime
