// SPDX-License-Identifier: Apache-2.0
// Distinct types for the numbers that name things, so that an index is never taken for a count.
//
// Value types; comparable, hashable, explicit to build. Arithmetic between them lives in
// core/span_math.h alone.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace mc {

// A strongly typed number. Tag makes each one a type of its own.
template <class Tag, class Rep>
struct Id {
    Rep value{};

    constexpr Id() = default;

    constexpr explicit Id(Rep v) : value(v) {}

    constexpr auto operator<=>(const Id&) const = default;
};

using BankId = Id<struct BankTag, std::uint32_t>;
using DocumentId = Id<struct DocumentTag, std::uint64_t>;  // unique in a store, never reused
using NodeIndex = Id<struct NodeIndexTag, std::uint64_t>;  // position of a node in its level
using Level = Id<struct LevelTag, std::uint8_t>;           // 0 raw tokens, n a gist of 32^n tokens
using CommitNumber = Id<struct CommitTag, std::uint64_t>;  // 0 before the first commit

// A token of the base model's vocabulary. Ids at and above the vocabulary's size are raw bytes that
// the vocabulary cannot spell: id - vocabulary size is the byte (lm/tokenizer/tokenizer.h).
using TokenId = std::int32_t;

// Half-open range of token positions in one document.
struct TokenSpan {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    constexpr std::uint64_t count() const { return end - begin; }

    constexpr bool empty() const { return begin == end; }

    constexpr bool contains(TokenSpan other) const {
        return begin <= other.begin && other.end <= end;
    }

    constexpr auto operator<=>(const TokenSpan&) const = default;
};

// Half-open range of byte offsets in one document.
struct ByteSpan {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    constexpr std::uint64_t count() const { return end - begin; }

    constexpr auto operator<=>(const ByteSpan&) const = default;
};

// One node of one document's tree; level ≥ 1 (raw tokens are spans, not nodes).
struct NodeId {
    DocumentId document;
    Level level;
    NodeIndex index;

    constexpr auto operator<=>(const NodeId&) const = default;
};

// "d7/L2/13": the text form of a node in every interface.
std::string to_string(NodeId node);

}  // namespace mc

template <class Tag, class Rep>
struct std::hash<mc::Id<Tag, Rep>> {
    std::size_t operator()(const mc::Id<Tag, Rep>& id) const noexcept {
        return std::hash<Rep>{}(id.value);
    }
};

template <>
struct std::hash<mc::NodeId> {
    std::size_t operator()(const mc::NodeId& node) const noexcept {
        std::size_t seed = std::hash<mc::DocumentId>{}(node.document);
        seed = seed * 0x9e3779b97f4a7c15ULL + node.level.value;
        return seed * 0x9e3779b97f4a7c15ULL + std::hash<mc::NodeIndex>{}(node.index);
    }
};
