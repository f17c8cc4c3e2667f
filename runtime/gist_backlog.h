// SPDX-License-Identifier: Apache-2.0
// The gists that a bank's documents wait for, made between requests, a short step at a time.
//
// What waits is found in the documents' records once, and in the journal from then on, so nobody
// need tell. In order of arrival. Ownership: borrows the session. Threads: one, the engine's.
// Errors: those of GistMaker.
#pragma once

#include <deque>
#include <optional>

#include "runtime/gist_maker.h"

namespace mc::runtime {

// Some two tenths of a second's reading for the default model on two cores with AVX2: as long as a
// request waits that comes right after a step began.
inline constexpr std::uint64_t kTokensBetweenRequests = 64;

class GistBacklog {
  public:
    explicit GistBacklog(BankSession& session) : session_(session), maker_(session) {}

    // False when nothing waits.
    Result<bool> step();

    // After text that has gists was changed.
    void restart() { maker_.restart(); }

  private:
    Result<void> look_around();

    BankSession& session_;
    GistMaker maker_;
    std::deque<DocumentId> waiting_;
    std::optional<CommitNumber> seen_;  // the last commit that was looked at; nullopt: none yet
};

}  // namespace mc::runtime
