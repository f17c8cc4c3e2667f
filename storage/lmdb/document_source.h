// SPDX-License-Identifier: Apache-2.0
// Whole documents as records, on their way out of a bank and into another one.
//
// Ports: a DocumentSource hands a bank what one document consists of, a BankVisitor is handed what
// a bank holds. Threads: one. Errors: the implementation's; kCorruption for what breaks a rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "storage/lmdb/record_codec.h"

namespace mc::storage {

// The encoded gists of a level under one parent.
struct PlacedGroup {
    Level level;
    NodeIndex parent;
    StoredGroup group;
};

// Bytes of a document's original: kOriginalPieceBytes of them in every piece but the last.
struct OriginalPiece {
    std::string bytes;
};

using DocumentPiece = std::variant<OriginalRecord, OriginalPiece, TokenChunk, PlacedGroup>;

// One document: its original and that one's pieces where it has one, its chunks in their order, and
// every level's groups in theirs.
class DocumentSource {
  public:
    virtual ~DocumentSource() = default;

    // To the first piece. A transaction that has to begin again reads everything again.
    virtual Result<void> rewind() = 0;
    // nullopt after the last piece.
    virtual Result<std::optional<DocumentPiece>> next() = 0;
};

class BankVisitor {
  public:
    virtual ~BankVisitor() = default;

    // Document by document, versions behind those that stand: its record, its original and that
    // one's pieces, its chunks, its groups level by level; then tombstones.
    virtual Result<void> on_document(const StoredDocument& document) = 0;
    virtual Result<void> on_original(const OriginalRecord& original) = 0;
    virtual Result<void> on_original_piece(std::uint64_t index, const std::string& bytes) = 0;
    virtual Result<void> on_chunk(std::uint64_t index, const TokenChunk& chunk) = 0;
    virtual Result<void> on_group(const PlacedGroup& group) = 0;
    virtual Result<void> on_tombstone(const Tombstone& tombstone) = 0;
};

}  // namespace mc::storage
