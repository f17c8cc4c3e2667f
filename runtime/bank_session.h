// SPDX-License-Identifier: Apache-2.0
// One bank with its two indexes, caught up with the store.
//
// The store is the truth; open() reads the journal after each index's watermark and adds what is
// missing, or rebuilds an index that cannot be used. Ownership: borrows the engine. Threads: one.
// Errors: kInvalidInput for an unknown bank; the store's and the indexes' own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/engine.h"
#include "tree/indexes.h"
#include "tree/node_store.h"

namespace mc::runtime {

// What catch_up() had to do: shown by --log-level info and checked by tests.
struct CatchUpReport {
    std::size_t vector_nodes_added = 0;
    std::size_t text_blocks_added = 0;
    bool vectors_rebuilt = false;
    bool texts_rebuilt = false;
};

class BankSession {
  public:
    // create: makes the bank when it is missing (writers only).
    static Result<std::unique_ptr<BankSession>> open(Engine& engine, std::string_view bank_name,
                                                     bool create);

    NodeStore& nodes() { return *nodes_; }

    const NodeStore& nodes() const { return *nodes_; }

    VectorIndex& vectors() { return *vectors_; }

    LexicalIndex& texts() { return *texts_; }

    const lm::Tokenizer& tokenizer() const { return tokenizer_; }

    Engine& engine() { return engine_; }

    const CatchUpReport& opening_report() const { return opening_report_; }

    // Adds to both indexes whatever the store has and they lack.
    Result<CatchUpReport> catch_up();
    // Adds one commit's blocks without a read of the store. Requires: indexes were caught up
    // before.
    Result<void> index_commit(const IngestBatch& batch, std::span<const BlockText> texts);
    // Makes the indexes durable at the store's last commit.
    Result<void> save_indexes();

    // The exact bytes of a span of a document.
    Result<std::string> read_text(DocumentId document, TokenSpan span) const;
    Result<std::string> read_bytes(DocumentId document, ByteSpan span) const;
    Result<ByteSpan> byte_span_of(DocumentId document, TokenSpan span) const;

    // A document by "d7", "7" or its source name; the error lists near names.
    Result<DocumentRecord> resolve_document(std::string_view name) const;

  private:
    explicit BankSession(Engine& engine) : engine_(engine), tokenizer_(engine.tokenizer()) {}

    Result<void> open_indexes();
    Result<void> add_journal_vectors(CommitNumber after, CatchUpReport& report);
    Result<void> add_journal_texts(CommitNumber after, CatchUpReport& report);
    Result<std::uint64_t> byte_of_token(DocumentId document, std::uint64_t token) const;

    Engine& engine_;
    const lm::Tokenizer& tokenizer_;
    std::unique_ptr<NodeStore> nodes_;
    std::unique_ptr<VectorIndex> vectors_;
    std::unique_ptr<LexicalIndex> texts_;
    CatchUpReport opening_report_;
};

}  // namespace mc::runtime
