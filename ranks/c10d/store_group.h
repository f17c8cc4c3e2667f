// SPDX-License-Identifier: Apache-2.0
// A group of ranks that meet in a TCPStore of libtorch's c10d.
//
// Rank 0 keeps the store, unless another process does (as torchrun's agent); what a rank brings is
// pieces of bytes in it, which the others fetch. (ProcessGroupGloo would be the obvious choice, and
// libtorch_cpu.so has it, but the wheel ships no header of gloo, which its own header includes; and
// the order in which it sums depends on the number of ranks.) Every rank lets the others know each
// second that it lives, also while it computes for long.
// Ownership: the group's own thread ends with it; rank 0's store waits for the others to leave.
// Threads: one, besides the group's own. The store asks nobody who they are: for trusted networks.
// Errors: kUsage for a world or a rank that cannot be, or that another process claims too; kIo when
// the store cannot be reached, or a rank leaves or is silent for kSilenceSeconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "ranks/rank_group.h"

namespace mc::ranks {

// Beyond what a rank's thread may have to wait for a busy processor.
inline constexpr int kSilenceSeconds = 20;

struct Rendezvous {
    std::string host;
    std::uint16_t port = 0;
    bool is_hosted = false;  // another process keeps the store
    std::string prefix;      // of keys, in a store that is used for several groups
};

struct GroupOptions {
    int world = 1;
    int rank = 0;
    Rendezvous place;
    int join_seconds = 300;  // how long to wait for the others to come
    int silence_seconds = kSilenceSeconds;
};

// Comes back when all ranks are there.
Result<std::unique_ptr<RankGroup>> join_group(const GroupOptions& options);

}  // namespace mc::ranks
