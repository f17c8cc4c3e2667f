// SPDX-License-Identifier: Apache-2.0
// One document being made outside of the store, so that it can go in whole: in a file without a
// name, which is gone with it.
//
// Of an encrypted store, it is encrypted with a key that nobody keeps. Tokens are added, their
// gists encoded; then it is a DocumentSource. Memory: one chunk, and the open group of every level.
// Ownership: borrows meta and coder. Threads: one. Errors: kIo, kOutOfSpace; kModel from the coder.
#pragma once

#include <array>
#include <memory>

#include "core/span_math.h"
#include "storage/codec/gist_coder.h"
#include "storage/lmdb/document_source.h"
#include "storage/portable/section_file.h"

namespace mc::storage {

class DocumentSpool final : public DocumentSource {
  public:
    static Result<std::unique_ptr<DocumentSpool>> make(const StoreMeta& meta,
                                                       const GistCoder& coder, bool is_sealed);
    ~DocumentSpool() override;

    // Before the first tokens.
    Result<void> add_original(const OriginalRecord& original);
    Result<void> add_original_piece(const OriginalPiece& piece);
    // sizes: of each token, in bytes.
    Result<void> add_tokens(std::span<const TokenId> tokens, std::span<const std::uint16_t> sizes);
    // Requires: of each level the next one.
    Result<void> add_gist(const NewGist& made);
    // After the last addition, before the first rewind().
    Result<void> finish();

    std::uint64_t token_count() const { return token_count_; }

    std::uint64_t byte_count() const { return byte_count_; }

    Result<void> rewind() override;
    Result<std::optional<DocumentPiece>> next() override;

  private:
    DocumentSpool(int fd, const StoreMeta& meta, const GistCoder& coder);

    Result<void> put_chunk();
    Result<void> put_group(Level level);

    const int fd_;
    const StoreMeta& meta_;
    const GistCoder& coder_;
    std::unique_ptr<Sealer> sealer_;  // null: not encrypted
    SectionWriter out_;
    std::unique_ptr<SectionReader> in_;  // null before finish()
    TokenChunk chunk_;
    std::array<PlacedGroup, kLevelMax.value + 1U> groups_;  // by level
    std::uint64_t original_pieces_ = 0;
    std::uint64_t token_count_ = 0;
    std::uint64_t byte_count_ = 0;
};

}  // namespace mc::storage
