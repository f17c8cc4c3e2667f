// SPDX-License-Identifier: Apache-2.0
// One document's tree and one node of it, ready to be shown by `inspect` and the REPL.
// Value type and free functions. Errors: kInvalidInput for a node that does not exist, saying what
// does; those of the store.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "apps/terminal/output.h"
#include "runtime/bank_session.h"

namespace mc::apps {

struct NodeView {
    NodeId node;
    DocumentRecord document;
    TokenSpan tokens;
    ByteSpan bytes;
    std::string text;  // its start, at most kNodeTextTokens tokens
    NodeStatistics statistics;
    NodeUse use;
    std::optional<NodeId> parent;  // when it exists
};

// Four blocks: enough to recognise a passage.
inline constexpr std::uint64_t kNodeTextTokens = 128;

// Requires: the bank was opened with a tokenizer.
Result<NodeView> view_node(const runtime::BankText& bank, NodeId node);

Json to_json(const NodeView& view);
void print_node(Output& out, const NodeView& view);

// Levels from the top down, then the tail.
void print_tree(Output& out, const DocumentRecord& document);

}  // namespace mc::apps
