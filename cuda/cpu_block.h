// SPDX-License-Identifier: Apache-2.0
// Runs a kernel's body on the CPU, block after block and thread after thread (block.h).
//
// For tests and checks, not for speed. Every piece of shared memory is an allocation of its own, as
// long as what was asked for and full of NaNs, so that a sanitizer or a result shows an index that
// is off and a number that was read before it was written. Threads of a phase run in ascending or
// in descending order: where the two differ, the body lacks a phase between a write and a read.
// Threads: free, on different outputs.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/check.h"
#include "cuda/block.h"
#include "cuda/numbers.h"

namespace mc::cuda {

enum class ThreadOrder { kAscending, kDescending };

class CpuBlock {
  public:
    // What a thread keeps from phase to phase.
    template <class T>
    class PerThread {
      public:
        explicit PerThread(const CpuBlock& block)
            : all_(static_cast<std::size_t>(block.threads_)) {}

        T& operator[](int thread) { return all_[static_cast<std::size_t>(thread)]; }

      private:
        std::vector<T> all_;
    };

    CpuBlock(std::int64_t index, int threads, std::size_t shared_bytes, ThreadOrder order)
        : index_(index), threads_(threads), shared_left_(shared_bytes), order_(order) {}

    std::int64_t index() const { return index_; }

    // Memory of all threads of the block, not initialised.
    template <class T>
    T* share(std::int64_t count) {
        const std::size_t taken = shared_size<T>(count);
        MC_CHECK(taken <= shared_left_, "the kernel's shared_bytes() is too small");
        shared_left_ -= taken;
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        const auto& piece = pieces_.emplace_back(
            static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kSharedAlignment})));
        std::memset(piece.get(), 0xff, bytes);
        return reinterpret_cast<T*>(piece.get());
    }

    // f(thread)
    template <class F>
    void each(F f) const {
        run_all(threads_, f);
    }

    // f(warp): once for the 32 threads of a warp, for what they do together.
    template <class F>
    void each_warp(F f) const {
        run_all(threads_ / kWarpThreads, f);
    }

    // c (16, columns) [+]= a (16, depth) · b, products of bf16 summed in f32; by a warp. b is
    // (depth, columns), or (columns, depth) when kByRows. Strides are in elements.
    // Requires, as the device's load_matrix_sync() does: columns and depth multiples of 16,
    // operands at multiples of kSharedAlignment bytes, strides of 16.
    template <bool kByRows>
    void multiply_tile(const TileOperand& a, const TileOperand& b, const TileTarget& c) const {
        MC_CHECK(c.columns % kTileSize == 0 && c.depth % kTileSize == 0, "no whole tiles");
        MC_CHECK(is_aligned(a.numbers) && is_aligned(b.numbers) && is_aligned(c.numbers) &&
                     a.stride % 8 == 0 && b.stride % 8 == 0 && c.stride % 4 == 0,
                 "the device cannot load this tile");
        for (int m = 0; m < kTileSize; ++m)
            for (int n = 0; n < c.columns; ++n) {
                float& to = c.numbers[m * c.stride + n];
                float total = c.add ? to : 0.0F;
                for (int k = 0; k < c.depth; ++k)
                    total += to_float(a.numbers[m * a.stride + k]) *
                             to_float(b.numbers[kByRows ? n * b.stride + k : k * b.stride + n]);
                to = total;
            }
    }

  private:
    struct GiveBack {
        void operator()(std::byte* piece) const {
            ::operator delete (piece, std::align_val_t{kSharedAlignment});
        }
    };

    static bool is_aligned(const void* numbers) {
        return reinterpret_cast<std::uintptr_t>(numbers) % kSharedAlignment == 0;
    }

    template <class F>
    void run_all(int count, F& f) const {
        for (int i = 0; i < count; ++i) f(order_ == ThreadOrder::kAscending ? i : count - 1 - i);
    }

    std::int64_t index_;
    int threads_;
    std::size_t shared_left_;
    ThreadOrder order_;
    std::vector<std::unique_ptr<std::byte, GiveBack>> pieces_;
};

template <class Kernel>
void run_on_cpu(const Kernel& kernel, ThreadOrder order = ThreadOrder::kAscending) {
    static_assert(Kernel::kThreads % kWarpThreads == 0);
    for (std::int64_t i = 0; i < kernel.block_count(); ++i) {
        CpuBlock block(i, Kernel::kThreads, kernel.shared_bytes(), order);
        kernel.run(block);
    }
}

}  // namespace mc::cuda
