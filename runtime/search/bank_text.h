// SPDX-License-Identifier: Apache-2.0
// The documents of one bank as text: exact bytes, and what people call a document.
//
// Needs the store and the tokenizer alone, so a document can be read whatever became of the
// indexes. Ownership: borrows both. Threads: one. Errors: kInvalidInput for a span or a document
// that is not there; the store's own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"
#include "tree/node_store.h"

namespace mc::runtime {

class BankText {
  public:
    BankText(NodeStore& nodes, const lm::Tokenizer& tokenizer)
        : nodes_(nodes), tokenizer_(tokenizer) {}

    NodeStore& nodes() const { return nodes_; }

    const lm::Tokenizer& tokenizer() const { return tokenizer_; }

    // A span's tokens as a model reads them: without blank ones.
    Result<std::vector<TokenId>> read_tokens(DocumentId document, TokenSpan span) const;
    // The exact bytes of a span of a document.
    Result<std::string> read_text(DocumentId document, TokenSpan span) const;
    Result<std::string> read_bytes(DocumentId document, ByteSpan span) const;
    Result<ByteSpan> byte_span_of(DocumentId document, TokenSpan span) const;

    // Where in its source a stretch of a document stands; empty where that has no places.
    Result<std::string> place_of(DocumentId document, ByteSpan bytes) const;

    // A document that stands, or a version. kInvalidInput when the bank has no such document.
    Result<DocumentRecord> require_document(DocumentId document) const;
    // A document by "d7", "7", which may be a version, or its source name; the error lists some
    // that exist.
    Result<DocumentRecord> resolve_document(std::string_view name) const;
    Result<std::vector<DocumentId>> resolve_documents(std::span<const std::string> names) const;

  private:
    Result<std::uint64_t> byte_of_token(DocumentId document, std::uint64_t token) const;

    NodeStore& nodes_;
    const lm::Tokenizer& tokenizer_;
};

// The bytes of a document from begin to end; none means its own. kInvalidInput beyond its end.
Result<ByteSpan> byte_span_in(const DocumentRecord& document, std::optional<std::uint64_t> begin,
                              std::optional<std::uint64_t> end);

}  // namespace mc::runtime
