// SPDX-License-Identifier: Apache-2.0
// A few threads that run one body side by side and meet at barriers inside it.
//
// libtorch's thread pool supplies the threads; the barrier spins, because a decode step meets 150
// times in 3 ms, and yields after a while, because the machine may have fewer cores free.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>

#include "lm/torch/torch_fence.h"

namespace mc::lm {

class SpinBarrier {
  public:
    explicit SpinBarrier(std::int64_t count) : count_(count) {}

    void wait() {
        const std::uint64_t round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins)
            if (spins > kSpinsMax) std::this_thread::yield();
    }

  private:
    static constexpr int kSpinsMax = 20000;

    std::int64_t count_;
    alignas(64) std::atomic<std::int64_t> arrived_{0};
    alignas(64) std::atomic<std::uint64_t> round_{0};
};

// One member of a team and its share of a range.
struct TeamMember {
    std::int64_t index;
    std::int64_t count;
    SpinBarrier* barrier;

    std::int64_t begin_of(std::int64_t size) const { return size * index / count; }

    std::int64_t end_of(std::int64_t size) const { return size * (index + 1) / count; }
};

// Runs body(member) on every thread at once, at most members_max of them.
template <class Body>
void run_team(std::int64_t members_max, const Body& body) {
    const std::int64_t asked =
        at::in_parallel_region() ? 1 : std::min<std::int64_t>(members_max, at::get_num_threads());
    SpinBarrier barriers[] = {SpinBarrier(asked), SpinBarrier(1)};
    // A range longer than one means that fewer threads came than were asked for: with one thread
    // the body runs alone; anything between cannot happen with a pool of fixed size.
    at::parallel_for(0, asked, 1, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t length = end - begin;
        if (length == 1)
            body(TeamMember{begin, asked, &barriers[0]});
        else if (begin == 0 && end == asked)
            body(TeamMember{0, 1, &barriers[1]});
        else
            throw std::runtime_error("a team of threads came incomplete");
    });
}

}  // namespace mc::lm
