// SPDX-License-Identifier: Apache-2.0
// Flags and variables that say which of several training processes this one is.
//
// Those of torchrun: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT stand for flags that are not
// given. Ownership: the CLI11 app borrows the members. Threads: one.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "ranks/rank_group.h"

namespace CLI {
class App;
}

namespace mc::apps {

class RankFlags {
  public:
    void add(CLI::App& app);

    // Waits for the other processes, where there are others. Errors: kUsage; those of
    // ranks/c10d/store_group.h.
    Result<std::unique_ptr<ranks::RankGroup>> join() const;

  private:
    int world_ = 1;
    int rank_ = 0;
    std::string rendezvous_;
};

}  // namespace mc::apps
