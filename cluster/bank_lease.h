// SPDX-License-Identifier: Apache-2.0
// Which server has a bank: a lease in the cluster's bucket, renewed while the server lives.
//
// held_until() is by this process's own clock, from before a renewal was asked for, so a server
// that is cut off stops before another one can begin. Ownership: borrows the link. Threads: one.
// Errors: kIo.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/link.h"

struct __kvStore;

namespace mc::cluster {

class BankLease {
  public:
    // owner: what others are told of who has the bank, its URL.
    static Result<std::unique_ptr<BankLease>> open(Link& link, const std::string& bank,
                                                   const std::string& owner);
    // Gives the bank up, if it is held.
    ~BankLease();
    BankLease(const BankLease&) = delete;
    BankLease& operator=(const BankLease&) = delete;

    // Takes the bank where nobody has it, and keeps it where this does. Call it several times in a
    // lease's time. Errors: those of the cluster; a lease that is held stays so until its end.
    Result<void> renew();

    // Past: it is not held.
    std::chrono::steady_clock::time_point held_until() const { return held_until_; }

    // Who has it as far as was seen last; empty: nobody.
    const std::string& seen_owner() const { return seen_owner_; }

    int lease_seconds() const { return lease_seconds_; }

  private:
    BankLease(__kvStore* bucket, std::string key, std::string owner, int lease_seconds);

    __kvStore* bucket_;
    const std::string key_;
    const std::string owner_;
    const int lease_seconds_;
    std::string seen_owner_;
    std::uint64_t revision_ = 0;  // of what this wrote last; 0: it has not the bank
    std::chrono::steady_clock::time_point held_until_{};
};

struct BankOwner {
    std::string bank;
    std::string owner;
};

// The banks that have an owner now, in order of name.
Result<std::vector<BankOwner>> list_owners(Link& link);

}  // namespace mc::cluster
