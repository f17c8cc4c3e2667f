// SPDX-License-Identifier: Apache-2.0
// A passage as one positive 64-bit number, which is what SQLite names rows by: 25 bits of document,
// 30 of first token, 8 of token count. Keys of a document are neighbours, in the order of its
// passages. Pure. Errors: kInvalidInput for a passage beyond these ranges.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "tree/passage_index.h"

namespace mc::storage {

inline constexpr unsigned kKeyDocumentBits = 25;  // 33 million documents in a store
inline constexpr unsigned kKeyTokenBits = 30;     // a thousand million tokens in a document
inline constexpr unsigned kKeyCountBits = 8;
static_assert(kPassageTokensMax < (1U << kKeyCountBits));

inline Result<std::int64_t> pack_passage(const Passage& passage) {
    const std::uint64_t begin = passage.tokens.begin;
    const std::uint64_t count = passage.tokens.end - begin;
    if (passage.document.value >> kKeyDocumentBits != 0 || begin >> kKeyTokenBits != 0 ||
        passage.tokens.end <= begin || count > kPassageTokensMax)
        return fail(ErrorCode::kInvalidInput, "passage [" + std::to_string(begin) + ", " +
                                                  std::to_string(passage.tokens.end) +
                                                  ") of document " +
                                                  std::to_string(passage.document.value) +
                                                  " is beyond what the index of passages can name");
    return static_cast<std::int64_t>((passage.document.value << (kKeyTokenBits + kKeyCountBits)) |
                                     (begin << kKeyCountBits) | count);
}

inline std::uint64_t key_token_count(std::int64_t key) {
    return static_cast<std::uint64_t>(key) & ((1ULL << kKeyCountBits) - 1);
}

inline Passage unpack_passage(std::int64_t key) {
    const auto bits = static_cast<std::uint64_t>(key);
    const std::uint64_t begin = (bits >> kKeyCountBits) & ((1ULL << kKeyTokenBits) - 1);
    return {DocumentId(bits >> (kKeyTokenBits + kKeyCountBits)),
            {begin, begin + key_token_count(key)}};
}

// Inclusive range of keys.
struct KeyRange {
    std::int64_t first = 0;
    std::int64_t last = 0;

    bool contains(std::int64_t key) const { return first <= key && key <= last; }
};

// Every key of a document; an empty range for one that has no keys.
inline KeyRange keys_of(DocumentId document) {
    if (document.value >> kKeyDocumentBits != 0) return {1, 0};
    constexpr unsigned kBits = kKeyTokenBits + kKeyCountBits;
    const auto first = static_cast<std::int64_t>(document.value << kBits);
    return {first, first + static_cast<std::int64_t>((1ULL << kBits) - 1)};
}

// The least key of a document's passages that begin at a token or after it.
inline std::int64_t key_at(const KeyRange& document, std::uint64_t token) {
    constexpr std::uint64_t kTokenMax = (1ULL << kKeyTokenBits) - 1;
    if (token > kTokenMax) return document.last;
    return document.first + static_cast<std::int64_t>(token << kKeyCountBits);
}

// Every key of a document's passages that begin in a span of its tokens.
inline KeyRange keys_of(const PassageRange& range) {
    KeyRange keys = keys_of(range.document);
    if (range.first_tokens.empty() || keys.last < keys.first) return {1, 0};
    if (range.first_tokens.end >> kKeyTokenBits == 0)
        keys.last = key_at(keys, range.first_tokens.end) - 1;
    keys.first = key_at(keys, range.first_tokens.begin);
    return keys;
}

}  // namespace mc::storage
