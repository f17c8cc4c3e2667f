// SPDX-License-Identifier: Apache-2.0
// Port: the index of one bank's passages, the unit of evidence. storage/index/ implements it.
//
// A passage is a stretch of a document with the bounds of a sentence, a line of code, a list item
// or a message. Passages cover a document without gap or overlap, its tail included, and belong to
// no block: a block is what is stored and compressed, a passage is what is found and read. The last
// passage of a document may still grow; who appends removes it first and adds it anew. The index is
// a cache of the store: it holds the passages of all commits up to its watermark, is caught up at
// open and can be deleted and rebuilt. Vectors come from one TextEmbedder, whose hash it keeps; an
// index made with another one, or without, is stale. Threads: searches from any thread; changes
// from the engine thread. Errors: kStaleIndex when what lies on disk cannot be used (the caller
// rebuilds); kIo and kOutOfSpace from changes. A change that fails undoes all that came since the
// last save(), and every later change, save() too, answers with that first error until revert() or
// clear(): so an index never claims what it lacks. Passages and vectors that no index can hold are
// kInvalidInput and change nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace mc {

// Longest passage, in tokens; a longer sentence is cut at a space where it has one.
inline constexpr std::uint64_t kPassageTokensMax = 255;

struct Passage {
    DocumentId document;
    TokenSpan tokens;  // 1 to kPassageTokensMax

    auto operator<=>(const Passage&) const = default;
};

// Where a search looks: passages of a document whose first token lies in a span.
struct PassageRange {
    DocumentId document;
    TokenSpan first_tokens{0, UINT64_MAX};

    bool contains(const Passage& passage) const {
        return passage.document == document && first_tokens.begin <= passage.tokens.begin &&
               passage.tokens.begin < first_tokens.end;
    }
};

// All passages of some documents.
inline std::vector<PassageRange> ranges_of(std::span<const DocumentId> documents) {
    std::vector<PassageRange> ranges;
    for (const DocumentId document : documents) ranges.push_back({document});
    return ranges;
}

struct PassageText {
    Passage passage;
    std::string text;  // UTF-8; invalid bytes replaced
};

// Higher scores are better.
struct PassageHit {
    Passage passage;
    float score = 0;
};

class PassageIndex {
  public:
    virtual ~PassageIndex() = default;

    // Numbers of one vector; 0: the index knows words alone.
    virtual std::uint32_t vector_dim() const = 0;

    // Requires: vectors is (passages.size(), vector_dim()) row-major, at unit length; no passage is
    // there already. Cost: by what is added.
    virtual Result<void> add(std::span<const PassageText> passages,
                             std::span<const float> vectors) = 0;
    // Requires: each was added with this very text.
    virtual Result<void> remove(std::span<const PassageText> passages) = 0;

    // nullopt: the index has none of the document.
    virtual Result<std::optional<Passage>> last_passage(DocumentId document) const = 0;
    // The passages that share a token with a span, in order.
    virtual Result<std::vector<Passage>> passages_in(DocumentId document, TokenSpan span) const = 0;

    // (passages.size(), vector_dim()): the vectors of passages that it has, as far as it kept them.
    // Requires: vector_dim() > 0.
    virtual Result<std::vector<float>> vectors_of(std::span<const Passage> passages) const = 0;

    // The best passages for a question in plain words, as BM25 ranks them, each with the share of
    // the question's weight that it holds: 1 says every word of the question, weighted by its
    // rarity. No operator syntax: every character of the question is text. No ranges: everywhere.
    virtual Result<std::vector<PassageHit>> search_words(
        std::string_view question, std::size_t count,
        std::span<const PassageRange> ranges) const = 0;
    // The best passages by cosine with a vector at unit length; scores −1 to 1.
    // Requires: query.size() == vector_dim() > 0.
    virtual Result<std::vector<PassageHit>> search_vectors(
        std::span<const float> query, std::size_t count,
        std::span<const PassageRange> ranges) const = 0;

    virtual std::size_t size() const = 0;
    virtual CommitNumber watermark() const = 0;
    // Makes everything since the last save durable, together with the watermark.
    virtual Result<void> save(CommitNumber watermark) = 0;
    // Back to the last save, from which the caller catches up again.
    virtual Result<void> revert() = 0;
    virtual Result<void> clear() = 0;
    // Leaves nothing on disk of what was removed. Requires: nothing was changed since save().
    // Cost: writes all that the index holds.
    virtual Result<void> purge() = 0;
};

}  // namespace mc
