// SPDX-License-Identifier: Apache-2.0
// A node as one positive 64-bit number, which is what FAISS and SQLite name rows by: 27 bits of
// document, 4 of level, 32 of index. Pure. Errors: kInvalidInput for a node beyond these ranges.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/span_math.h"
#include "tree/indexes.h"

namespace mc::storage {

inline constexpr unsigned kPackedDocumentBits = 27;  // 134 million documents in a store
inline constexpr unsigned kPackedLevelBits = 4;
inline constexpr unsigned kPackedIndexBits = 32;  // 137 thousand million tokens in a document
static_assert(kLevelMax.value < (1U << kPackedLevelBits));

inline Result<std::int64_t> pack_node(NodeId node) {
    if (node.document.value >> kPackedDocumentBits != 0 ||
        node.level.value >> kPackedLevelBits != 0 || node.index.value >> kPackedIndexBits != 0)
        return fail(ErrorCode::kInvalidInput,
                    "node " + to_string(node) + " is beyond what the indexes can name");
    return static_cast<std::int64_t>(
        (node.document.value << (kPackedLevelBits + kPackedIndexBits)) |
        (std::uint64_t{node.level.value} << kPackedIndexBits) | node.index.value);
}

inline NodeId unpack_node(std::int64_t packed) {
    const auto bits = static_cast<std::uint64_t>(packed);
    return {DocumentId(bits >> (kPackedLevelBits + kPackedIndexBits)),
            Level(static_cast<std::uint8_t>((bits >> kPackedIndexBits) &
                                            ((1U << kPackedLevelBits) - 1))),
            NodeIndex(bits & ((1ULL << kPackedIndexBits) - 1))};
}

// A SearchFilter ready to be asked once per row.
class NodeFilter {
  public:
    explicit NodeFilter(const SearchFilter& filter)
        : documents_(filter.documents), level_(filter.level) {
        std::sort(documents_.begin(), documents_.end());
    }

    bool accepts_all() const { return documents_.empty() && !level_; }

    bool accepts(std::int64_t packed) const {
        const NodeId node = unpack_node(packed);
        if (level_ && node.level != *level_) return false;
        return documents_.empty() ||
               std::binary_search(documents_.begin(), documents_.end(), node.document);
    }

  private:
    std::vector<DocumentId> documents_;
    std::optional<Level> level_;
};

}  // namespace mc::storage
