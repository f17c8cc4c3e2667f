// SPDX-License-Identifier: Apache-2.0
// Ports: the two derived indexes of one bank. storage/ implements them on FAISS and SQLite FTS5.
//
// Both are caches of the store: each remembers the last commit that it holds (its watermark), is
// caught up at open and can be deleted and rebuilt. Threads: search from any thread; changes from
// the engine thread. Errors: kStaleIndex when the file on disk cannot be used (the caller
// rebuilds), kIo and kOutOfSpace from saving.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tree/gist.h"

namespace mc {

// One search result; higher scores are better, scales differ between indexes.
struct SearchHit {
    NodeId node;
    float score = 0;
};

// Restricts a search; empty documents = every document of the bank.
struct SearchFilter {
    std::vector<DocumentId> documents;
    std::optional<Level> level;
};

class VectorIndex {
  public:
    virtual ~VectorIndex() = default;

    // Requires: vectors is (nodes.size(), I) row-major. Adding a node twice replaces nothing and
    // is a bug.
    virtual Result<void> add(std::span<const NodeId> nodes, std::span<const float> vectors) = 0;

    // The count best nodes by inner product with the query (I).
    virtual Result<std::vector<SearchHit>> search(std::span<const float> query, std::size_t count,
                                                  const SearchFilter& filter) const = 0;
    virtual std::size_t size() const = 0;
    virtual CommitNumber watermark() const = 0;
    // Makes everything added so far durable and sets the watermark.
    virtual Result<void> save(CommitNumber watermark) = 0;
    virtual Result<void> clear() = 0;
};

// One level 1 block's text.
struct BlockText {
    NodeId node;
    std::string text;  // UTF-8; invalid bytes replaced
};

class LexicalIndex {
  public:
    virtual ~LexicalIndex() = default;

    virtual Result<void> add(std::span<const BlockText> blocks) = 0;

    // The count best blocks for a question in plain words, by BM25. No operator syntax: every
    // character of the question is text.
    virtual Result<std::vector<SearchHit>> search(std::string_view question, std::size_t count,
                                                  const SearchFilter& filter) const = 0;
    virtual std::size_t size() const = 0;
    virtual CommitNumber watermark() const = 0;
    virtual Result<void> save(CommitNumber watermark) = 0;
    virtual Result<void> clear() = 0;
};

}  // namespace mc
