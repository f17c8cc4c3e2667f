// SPDX-License-Identifier: Apache-2.0
// A server's part in a cluster (docs/cluster.md): it takes the banks that it is given and that
// nobody has, applies their logs in order to its store, and knows who has those that it has not.
//
// Ownership: borrows the memory. Threads: a follower's two for each bank; the face is the engine's,
// but for may_answer(). Errors: those of the cluster and of the memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/link.h"
#include "runtime/memory.h"
#include "serve/bank_follower.h"
#include "serve/protocol/json.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

struct ClusterOptions {
    cluster::LinkOptions link;
    std::vector<std::string> banks;
};

class ClusterMember {
  public:
    // calls: what does the verbs of a log's entries. Makes the banks that are missing. Errors:
    // kInvalidInput also for a bank that follows another log.
    static Result<std::unique_ptr<ClusterMember>> open(const ClusterOptions& options,
                                                       runtime::Memory& memory, MemoryPort& calls);

    // From now on banks are taken. url: where others reach this server. wake: lets the engine call
    // step().
    Result<void> follow(const std::string& url, const std::function<void()>& wake);

    // Applies the next entry of some bank; false when none has come.
    bool step();

    bool has(const std::string& bank) const { return reached_.contains(bank); }

    // kLocked for a bank of the cluster that another server has, naming it, or that nobody has yet.
    Result<void> may_answer(const std::string& bank) const;

    // Writes a verb that changes the bank to its log, applies the log up to it, and says what came
    // of it. Errors: may_answer()'s; kIo when that is not known: whoever asks again with the same
    // idempotency key changes nothing twice.
    Result<Json> write(const std::string& bank, Verb verb, Json arguments);

  private:
    ClusterMember(std::unique_ptr<cluster::Link> link, runtime::Memory& memory, MemoryPort& calls)
        : link_(std::move(link)), memory_(memory), calls_(calls) {}

    // What came of an entry that stores agree on; of a call, what it answers.
    struct Applied {
        Result<Json> answer;
    };

    // Errors: those that time may mend; the entry is not applied.
    Result<Applied> apply(BankFollower& follower, const BankFollower::Fetched& next);
    Result<void> apply_batch(BankFollower& follower, const BankFollower::Fetched& next);
    Result<Applied> apply_call(BankFollower& follower, const BankFollower::Fetched& next);
    Result<Json> apply_until(BankFollower& follower, std::uint64_t sequence, const std::string& id);

    std::unique_ptr<cluster::Link> link_;
    runtime::Memory& memory_;
    MemoryPort& calls_;
    std::int64_t log_created_ns_ = 0;
    std::string owner_;
    std::map<std::string, std::uint64_t> reached_;  // by bank
    std::map<std::string, std::unique_ptr<BankFollower>> followers_;
};

}  // namespace mc::serve
