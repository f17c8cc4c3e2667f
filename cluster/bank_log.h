// SPDX-License-Identifier: Apache-2.0
// A bank's log: what was done to it, in order, kept for good. Stores are made from it.
//
// An entry's id is in its subject, and a subject is written once: whoever adds an entry again,
// after an answer that was lost or a worker that died, adds nothing. Ownership: borrows the link.
// Threads: a reader is for one. Errors: kIo; kCorruption.
#pragma once

#include <memory>
#include <optional>

#include "cluster/entries.h"
#include "cluster/link.h"

struct __natsSubscription;

namespace mc::cluster {

// Whether the log has an entry of that id.
Result<bool> log_has(Link& link, const std::string& bank, const std::string& id);

struct Appended {
    std::uint64_t sequence = 0;
    bool was_there = false;
};

// Puts the content there, then the entry. Where the entry is there already, nothing is added and
// the content is gone again.
Result<Appended> append_entry(Link& link, LogEntry entry, std::string_view content);

struct SequencedEntry {
    std::uint64_t sequence = 0;
    LogEntry entry;
};

class LogReader {
  public:
    // The entries of a bank behind a sequence.
    static Result<std::unique_ptr<LogReader>> open(Link& link, const std::string& bank,
                                                   std::uint64_t after);
    ~LogReader();
    LogReader(const LogReader&) = delete;
    LogReader& operator=(const LogReader&) = delete;

    // The next one; nullopt when none came for so long.
    Result<std::optional<SequencedEntry>> next(int wait_ms);

  private:
    explicit LogReader(__natsSubscription* subscription) : subscription_(subscription) {}

    __natsSubscription* subscription_;
};

}  // namespace mc::cluster
