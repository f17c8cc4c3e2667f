// SPDX-License-Identifier: Apache-2.0
// What a working context is made of: raw runs of tokens and gists, in reading order.
//
// Canonical form: a raw run never crosses a block boundary, so a run is at most one block, every
// run of a whole block is exactly what its level 1 gist expands to, and expand then collapse gives
// back the same entries. A reader joins neighbouring runs itself. Value types.
#pragma once

#include <cstdint>
#include <string>

#include "core/ids.h"
#include "core/span_math.h"

namespace mc {

// One entry: raw tokens (level 0) or the gist of one node (level ≥ 1).
struct Entry {
    DocumentId document;
    Level level;
    TokenSpan span;  // the tokens that it stands for

    static constexpr Entry raw(DocumentId document, TokenSpan span) {
        return {document, Level(0), span};
    }

    static constexpr Entry gist(NodeId node) { return {node.document, node.level, span_of(node)}; }

    constexpr bool is_raw() const { return level == Level(0); }

    // Entries of the budget that it takes, and positions that the base model reads it at.
    constexpr std::uint64_t cost() const { return is_raw() ? span.count() : 1; }

    // The node of a gist. Requires: !is_raw().
    constexpr NodeId node() const {
        MC_CHECK(!is_raw(), "a raw run is no node");
        return {document, level, node_holding(span.begin, level)};
    }

    constexpr auto operator<=>(const Entry&) const = default;
};

// How an entry came into the window; cooldown and minimum residency ask for it.
enum class Arrival : std::uint8_t {
    kStart,     // part of the first cover, or tokens that the document grew by
    kExpand,    // its parent was expanded
    kCollapse,  // its children were collapsed
};

// An entry and its age.
struct WindowEntry {
    Entry entry;
    std::uint64_t entered_step = 0;
    Arrival arrival = Arrival::kStart;

    bool operator==(const WindowEntry&) const = default;
};

// How much of a document there is. A node exists and is complete iff its span ends at or below
// gist_end.
struct DocumentShape {
    DocumentId document;
    std::uint64_t token_count = 0;
    std::uint64_t gist_end = 0;  // tokens below it have their gists; a multiple of kBlockSize

    // A document whose every whole block has its gist.
    static constexpr DocumentShape of(DocumentId document, std::uint64_t token_count) {
        return {document, token_count, tail_begin(token_count)};
    }

    constexpr bool has_node(NodeId node) const {
        return node.document == document && node.level.value >= 1 && node.level <= kLevelMax &&
               node.index.value < (gist_end >> (kBlockBits * node.level.value));
    }

    bool operator==(const DocumentShape&) const = default;
};

// A document in a window: the part of it that the window covers.
struct Selection {
    DocumentShape shape;
    TokenSpan range;

    bool operator==(const Selection&) const = default;
};

// Tokens that stay raw: the recent tail of a conversation, a pin.
struct ProtectedSpan {
    DocumentId document;
    TokenSpan span;

    bool operator==(const ProtectedSpan&) const = default;
};

// One change of a window. Each moves the cost by kEditCost, at every level: 32 entries for one.
struct Edit {
    enum class Kind : std::uint8_t {
        kExpand,    // the node's gist becomes its 32 children (level 1: its 32 raw tokens)
        kCollapse,  // the node's 32 children (level 1: its raw tokens) become its gist
    };
    Kind kind;
    NodeId node;

    constexpr auto operator<=>(const Edit&) const = default;
};

inline constexpr std::uint64_t kEditCost = kBlockSize - 1;

// "d7[64,96)" or "d7/L2/13"; "expand d7/L2/13".
std::string to_string(const Entry& entry);
std::string to_string(const Edit& edit);

}  // namespace mc
