// SPDX-License-Identifier: Apache-2.0
// Makes the gists that documents wait for.
//
// Text is durable and can be found as soon as it was taken in; reading it with the base model costs
// a hundred times as much and may come later, in one go or between requests
// (docs/adr/0030-gists-later.md). A step commits what it made, so a kill loses a step and nothing
// else, and any maker, in this process or in another, goes on from there. Ownership: borrows the
// session. Threads: one. Errors: the store's and the encoder's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "tree/document_builder.h"

namespace mc::runtime {

class GistMaker {
  public:
    // with_statistics: mean NLL and entropy per block, at the cost of the output head; of documents
    // without a gist so far, others go on as they began.
    explicit GistMaker(BankSession& session, bool with_statistics = false)
        : session_(session), with_statistics_(with_statistics) {}

    struct Step {
        std::uint64_t tokens = 0;  // that have their gists now; 0: none waits
        std::uint64_t gists = 0;   // of all levels
    };

    // The gists of the next tokens of a document, tokens_max of them at most. A document that is
    // gone waits for nothing. Between two steps the text that has its gists must not change
    // (restart() otherwise); more of it may come.
    Result<Step> step(DocumentId document, std::uint64_t tokens_max);

    // Forgets what it knows of the document in hand.
    void restart() { builder_.reset(); }

  private:
    Result<void> take_up(const DocumentRecord& document);

    BankSession& session_;
    const bool with_statistics_;
    DocumentId in_hand_;
    std::unique_ptr<DocumentBuilder> builder_;  // of in_hand_; null: to be made from the store
};

struct GistProgress {
    std::uint64_t tokens_done = 0;
    std::uint64_t tokens_total = 0;
};

struct GistOptions {
    bool with_statistics = false;
    const std::atomic<bool>* cancelled = nullptr;
    std::function<void(const GistProgress&)> progress = {};
};

// All that a document waits for; how many gists that were. Errors: kCancelled after the step in
// hand.
Result<std::uint64_t> make_gists(BankSession& session, DocumentId document,
                                 const GistOptions& options = {});

// The bank's documents that wait, in order of id. Cost: every document's record.
Result<std::vector<DocumentRecord>> documents_without_gists(const NodeStore& nodes);

}  // namespace mc::runtime
