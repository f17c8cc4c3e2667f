// SPDX-License-Identifier: Apache-2.0
// A working context in answering form: what helps a question, and nothing else.
//
// Background gists come first, then passages in the order in which they were told
// (docs/evaluation.md has the measurements). Unlike the narrative form (window.h) it covers nothing
// that it does not show. Invariants, all in answer_window_violations(): the cost is within the
// budget; every token stands there at most once; background nodes exist and are complete; passages
// lie within their documents. Value type. Threads: free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tree/passage_index.h"
#include "working_context/entry.h"

namespace mc {

struct AnswerWindow {
    std::vector<NodeId> background;  // in reading order
    std::vector<Passage> passages;   // in reading order
    // Entries of the reader's that stand for no memory: what parts two passages, and the question.
    std::uint64_t separator_entries = 0;
    std::uint64_t reserved_entries = 0;
    std::uint64_t budget_entries = 0;

    std::uint64_t cost() const;
    // Tokens of memory that the entries stand for.
    std::uint64_t covered_tokens() const;
    // The level at which a token of a document stands there; 0 raw, −1 left out.
    int level_of(DocumentId document, std::uint64_t token) const;

    bool operator==(const AnswerWindow&) const = default;
};

// What breaks a rule, in words; empty when all is well. shapes: of every document named.
std::vector<std::string> answer_window_violations(const AnswerWindow& window,
                                                  std::span<const DocumentShape> shapes);

// The nodes that stand for a document around passages: its coarsest cover, opened where a node
// holds a passage, without the tail and without the level 1 nodes that share a token with a
// passage. At most count_max of them, those nearest to no passage first to go. In order of
// position.
std::vector<NodeId> background_of(const DocumentShape& shape, std::span<const Passage> passages,
                                  std::size_t count_max);

}  // namespace mc
