// SPDX-License-Identifier: Apache-2.0
// Grows one document's tree: takes tokens as they come, hands back batches ready to commit.
//
// Any chunking of the same tokens gives the same tree: what a block is read with depends on token
// positions alone (tree/read_window.h). The tokens may lie in the store already, for their gists to
// come later. It keeps the open window's tokens and the gists of every
// incomplete parent, so memory is flat in the document's length. It does not touch the store after
// resume(): the caller commits, and drops the builder if a commit fails. Ownership: borrows the
// encoder for its lifetime. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/span_math.h"
#include "tree/gist_encoder.h"
#include "tree/node_store.h"

namespace mc {

class DocumentBuilder {
  public:
    // Continues a document where its gists end: the first token that append() takes is that at
    // document.gist_end. Errors: those of the store's reads.
    static Result<std::unique_ptr<DocumentBuilder>> resume(const NodeStore& store,
                                                           const DocumentRecord& document,
                                                           GistEncoder& encoder,
                                                           bool with_statistics);

    // Of a document that no store has yet; its gists name no document.
    static std::unique_ptr<DocumentBuilder> begin(GistEncoder& encoder, bool with_statistics);

    // Takes the next tokens and returns every gist, of any level, that they complete, level by
    // level in order of index. Requires: document stays below kDocumentTokensMax
    // (kInvalidInput otherwise, with nothing taken). After an error of the encoder the builder
    // has lost its place: drop it and resume another from the store.
    // Cost: one pass of the base model over each window that holds a new block.
    Result<std::vector<NewGist>> append(std::span<const TokenId> tokens);

    std::uint64_t token_count() const { return token_count_; }

  private:
    DocumentBuilder(DocumentId document, GistEncoder& encoder, bool with_statistics)
        : document_(document), encoder_(encoder), with_statistics_(with_statistics) {}

    Result<std::vector<NewGist>> encode_blocks();
    // Parents that the newly made gists of a level complete. Requires: made is not empty.
    Result<std::vector<NewGist>> encode_level_above(std::span<const NewGist> made, Level level);

    DocumentId document_;
    GistEncoder& encoder_;
    bool with_statistics_;
    std::uint64_t token_count_ = 0;
    std::uint64_t encoded_end_ = 0;        // tokens below it have their level 1 gist
    std::uint64_t buffer_begin_ = 0;       // position of buffer_[0]
    std::vector<TokenId> buffer_;          // context and open window
    std::vector<std::vector<Gist>> open_;  // per level: gists whose parent is incomplete
};

}  // namespace mc
