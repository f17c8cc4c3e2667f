// SPDX-License-Identifier: Apache-2.0
// Several processes, each a rank, that train one model together.
//
// A rank knows how many there are and which one it is, and can bring something together with the
// others; whoever trains needs nothing else. What ranks bring together is put in an order that does
// not depend on how many there are, so any number of them ends with the same bits.
// Ownership: what trains borrows its group. Threads: one.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace mc::ranks {

class RankGroup {
  public:
    RankGroup() = default;
    virtual ~RankGroup() = default;
    RankGroup(const RankGroup&) = delete;
    RankGroup& operator=(const RankGroup&) = delete;

    virtual int rank() const = 0;
    virtual int world() const = 0;

    // The bytes of every rank, in order of rank. Requires: every rank calls this equally often.
    // Errors, of which no group recovers: kIo when a rank has left, or is not heard from.
    virtual Result<std::vector<std::string>> gather(std::string bytes) = 0;
};

// One process that trains alone.
class LoneRank final : public RankGroup {
  public:
    int rank() const override { return 0; }

    int world() const override { return 1; }

    Result<std::vector<std::string>> gather(std::string bytes) override {
        std::vector<std::string> all;
        all.push_back(std::move(bytes));
        return all;
    }
};

}  // namespace mc::ranks
