// SPDX-License-Identifier: Apache-2.0
// How one kernel body serves the device and the CPU: what a body may ask of its block of threads.
//
// A kernel is a value: its arguments, and
//   static constexpr int kThreads;             // of a block, a multiple of 32
//   std::int64_t block_count() const;          // of the grid, in one dimension
//   std::size_t shared_bytes() const;          // what share() hands out in one block, at most
//   template <class Block> MC_DEVICE void run(Block& block) const;
// run() is the body of one block. It is a sequence of phases, block.each(f): f runs once for every
// thread, and no thread starts the next phase before all have ended this one. What stands between
// phases is the same for all threads. So the CPU may run the threads of a phase one after another
// (cpu_block.h), where sanitizers see every index, and the device runs them at once
// (device_block.cuh), with a barrier behind each phase.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define MC_DEVICE __device__
#else
#define MC_DEVICE
#endif

namespace mc::cuda {

inline constexpr int kWarpThreads = 32;

// Shared memory is handed out in pieces that begin at multiples of this, in bytes: what the
// device's tile products ask for.
inline constexpr std::size_t kSharedAlignment = 32;

// What share<T>(count) takes.
template <class T>
constexpr std::size_t shared_size(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    return (bytes + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment;
}

constexpr std::int64_t divide_up(std::int64_t count, std::int64_t by) {
    return (count + by - 1) / by;
}

}  // namespace mc::cuda
