// SPDX-License-Identifier: Apache-2.0
// One bank: its text at once, its search when it is first asked for.
//
// Ownership: borrows the engine. Threads: one. Errors: kInvalidInput for an unknown bank; those of
// BankText and BankSearch.
#pragma once

#include <memory>
#include <string_view>

#include "core/result.h"
#include "runtime/engine.h"
#include "runtime/held_hashes.h"
#include "runtime/search/bank_search.h"
#include "runtime/search/bank_text.h"

namespace mc::runtime {

class BankSession {
  public:
    // create: makes the bank when it is missing (writers only). Opens no index, but for a writer
    // that finds a forgetting begun and not completed, which it completes.
    static Result<std::unique_ptr<BankSession>> open(Engine& engine, std::string_view bank_name,
                                                     bool create);

    Engine& engine() { return engine_; }

    NodeStore& nodes() { return *nodes_; }

    const BankText& text() const { return *text_; }

    // Opened and caught up by the first call. progress: of that catch-up.
    Result<BankSearch*> search(const IndexProgress& progress = {});

    // After a commit: indexes what was committed once enough of it has come together for the
    // embedder to read at once, so that many small documents cost what one large one costs.
    Result<void> index_soon(std::uint64_t tokens_committed);
    // Indexes what is left: everything committed can be found when this returns.
    Result<void> index_now();

    // Of the documents that grow.
    HeldHashes& held_hashes() { return held_hashes_; }

  private:
    explicit BankSession(Engine& engine) : engine_(engine) {}

    Engine& engine_;
    std::unique_ptr<NodeStore> nodes_;
    std::unique_ptr<BankText> text_;
    std::unique_ptr<BankSearch> search_;
    HeldHashes held_hashes_;
    std::uint64_t tokens_waiting_ = 0;
    std::uint64_t commits_waiting_ = 0;
};

}  // namespace mc::runtime
