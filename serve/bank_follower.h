// SPDX-License-Identifier: Apache-2.0
// A bank of a cluster in this server: its lease, and the entries of its log as they come.
//
// While the lease is held, entries behind the position that the store has reached are fetched with
// their contents, a few ahead of the engine. Without the lease nothing is. Ownership: borrows the
// link. Threads: two of its own; the face is safe from many, pop() and applied() are the engine's.
// Errors: none; fault() says what could not be done last, and both are tried again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cluster/bank_lease.h"
#include "cluster/bank_log.h"
#include "core/mutex.h"

namespace mc::serve {

class BankFollower {
  public:
    struct Fetched {
        std::uint64_t sequence = 0;
        cluster::LogEntry entry;
        std::string content;
    };

    // after: the sequence that the store has reached. wake: called when something can be popped,
    // and now and then.
    BankFollower(cluster::Link& link, std::unique_ptr<cluster::BankLease> lease, std::string bank,
                 std::uint64_t after, std::function<void()> wake);
    ~BankFollower();
    BankFollower(const BankFollower&) = delete;
    BankFollower& operator=(const BankFollower&) = delete;

    const std::string& bank() const { return bank_; }

    bool owned() const;
    // Who has the bank as far as is known; empty: nobody.
    std::string owner() const;
    std::string fault() const;

    // The next entry, while the bank is owned; waits for at most so long.
    std::optional<Fetched> pop(std::chrono::milliseconds wait);
    // The engine could not apply it: it is the next one again.
    void put_back(Fetched fetched, const std::string& fault);

  private:
    void keep(const std::stop_token& stop);
    void fetch(const std::stop_token& stop);
    Result<void> fetch_next(std::unique_ptr<cluster::LogReader>& reader,
                            const std::stop_token& stop);
    void note(const std::string& fault);
    // Until asked to stop, or for so long.
    void pause(const std::stop_token& stop, std::chrono::milliseconds time) const;

    cluster::Link& link_;
    const std::string bank_;
    const std::function<void()> wake_;
    std::unique_ptr<cluster::BankLease> lease_;      // the keeper's
    std::chrono::steady_clock::time_point heard_{};  // the fetcher's: last of its reader
    mutable Mutex mutex_;
    mutable std::condition_variable_any changed_;
    std::deque<Fetched> fetched_ MC_GUARDED_BY(mutex_);
    std::uint64_t popped_ MC_GUARDED_BY(mutex_);  // sequence that the engine has taken
    std::chrono::steady_clock::time_point held_until_ MC_GUARDED_BY(mutex_){};
    std::string owner_ MC_GUARDED_BY(mutex_);
    std::string fault_ MC_GUARDED_BY(mutex_);
    std::jthread keeper_;
    std::jthread fetcher_;
};

}  // namespace mc::serve
