// SPDX-License-Identifier: Apache-2.0
// Documents that wait for a worker, and those that were set aside.
//
// A document stays in the queue until a worker is done with it: one that dies gives it back after
// kClaimSeconds. Ownership: a WorkClaim borrows the link and gives its document back by its end
// unless done() or set_aside() was called; it says meanwhile that it is alive, in a thread of its
// own. Threads: one for each claim. Errors: kIo; kOutOfSpace while as much waits as may;
// kCorruption.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "cluster/entries.h"
#include "cluster/link.h"

struct __natsMsg;
struct __natsSubscription;

namespace mc::cluster {

// How long a document stays with a worker that is not heard from.
inline constexpr int kClaimSeconds = 30;
// Workers that may die of one document before it is set aside.
inline constexpr std::uint64_t kTriesMax = 8;

// Puts a document into the queue; its id. Errors: kOutOfSpace leaves nothing there.
Result<std::string> submit(Link& link, const WorkItem& item, std::string_view content);

class WorkClaim {
  public:
    WorkClaim(Link& link, WorkItem item, __natsMsg* message, std::uint64_t tries);
    ~WorkClaim();
    WorkClaim(const WorkClaim&) = delete;
    WorkClaim& operator=(const WorkClaim&) = delete;

    const WorkItem& item() const { return item_; }

    // How often a worker took it, this time too.
    std::uint64_t tries() const { return tries_; }

    // Takes it and its bytes out of the queue.
    Result<void> done();
    // Takes it out and keeps it among the failures; its bytes stay.
    Result<void> set_aside(const Error& error, const std::string& worker);

  private:
    Link& link_;
    const WorkItem item_;
    __natsMsg* message_;  // null: given back or taken out
    const std::uint64_t tries_;
    std::jthread alive_;
};

class WorkQueue {
  public:
    static Result<std::unique_ptr<WorkQueue>> open(Link& link);
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    // The next document; null when none came for so long.
    Result<std::unique_ptr<WorkClaim>> take(int wait_ms);

  private:
    WorkQueue(Link& link, __natsSubscription* subscription)
        : link_(link), subscription_(subscription) {}

    Link& link_;
    __natsSubscription* subscription_;
};

// Keeps a failure, once for each document.
Result<void> record_failure(Link& link, const Failure& failure);

// Those that were set aside, oldest first, count at most.
Result<std::vector<Failure>> list_failures(Link& link, std::size_t count);

}  // namespace mc::cluster
