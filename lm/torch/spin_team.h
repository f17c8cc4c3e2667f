// SPDX-License-Identifier: Apache-2.0
// A few threads that run one body side by side and meet at barriers inside it.
//
// OpenMP's pool supplies the threads, the one that libtorch uses too. A decode step meets 150 times
// in 3 ms, so a waiting thread spins first; but only for some microseconds, then it sleeps: where
// other programs want the cores, a spinning thread takes its time from the very one that it waits
// for.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mc::lm {

class SpinBarrier {
  public:
    // Returns when `count` threads wait. Requires: every one of them gives the same count.
    void wait(std::int64_t count) {
        const std::uint32_t round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            round_.notify_all();
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
            if (spins < kSpinsMax)
                rest_a_moment();
            else
                round_.wait(round, std::memory_order_acquire);
        }
    }

  private:
    // Some 90 µs where a pause takes 140 cycles, 30 where it takes 40: longer than being woken
    // takes, on a virtual machine too. Shorter, and one nap is the beginning of many: who was woken
    // arrives late, the other has gone to sleep by then, and so on at every meeting.
    static constexpr int kSpinsMax = 2000;

    static void rest_a_moment() {
#if defined(__x86_64__)
        _mm_pause();
#endif
    }

    alignas(64) std::atomic<std::int64_t> arrived_{0};
    alignas(64) std::atomic<std::uint32_t> round_{0};  // 32 bits: what the system can sleep on
};

// One member of a team and its share of a range.
struct TeamMember {
    std::int64_t index;
    std::int64_t count;
    SpinBarrier* barrier;

    std::int64_t begin_of(std::int64_t size) const { return size * index / count; }

    std::int64_t end_of(std::int64_t size) const { return size * (index + 1) / count; }

    // Returns when every member is here.
    void meet() const { barrier->wait(count); }
};

// Runs body(member) on every thread at once, at most members_max of them. The system may grant
// fewer threads than were asked for (OMP_THREAD_LIMIT): the team is those that came, and they know
// how many they are before any of them can wait. Requires: body does not throw.
template <class Body>
void run_team(std::int64_t members_max, const Body& body) {
    const int asked =
        omp_in_parallel() != 0
            ? 1
            : static_cast<int>(std::min<std::int64_t>(members_max, omp_get_max_threads()));
    SpinBarrier barrier;
#pragma omp parallel num_threads(asked)
    body(TeamMember{omp_get_thread_num(), omp_get_num_threads(), &barrier});
}

}  // namespace mc::lm
