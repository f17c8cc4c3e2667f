// SPDX-License-Identifier: Apache-2.0
// A block of threads on the device (block.h), for .cu files.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <mma.h>

#include "cuda/numbers.h"

namespace mc::cuda {

class DeviceBlock {
  public:
    template <class T>
    class PerThread {
      public:
        __device__ explicit PerThread(const DeviceBlock&) {}

        __device__ T& operator[](int) { return own_; }

      private:
        T own_{};
    };

    __device__ explicit DeviceBlock(std::byte* shared) : shared_(shared) {}

    __device__ std::int64_t index() const { return blockIdx.x; }

    template <class T>
    __device__ T* share(std::int64_t count) {
        T* piece = reinterpret_cast<T*>(shared_);
        shared_ += shared_size<T>(count);
        return piece;
    }

    template <class F>
    __device__ void each(F f) const {
        f(static_cast<int>(threadIdx.x));
        __syncthreads();
    }

    template <class F>
    __device__ void each_warp(F f) const {
        f(static_cast<int>(threadIdx.x / kWarpThreads));
        __syncthreads();
    }

    // As CpuBlock's, on the tensor cores: tiles of 16 × 16.
    template <bool kByRows>
    __device__ void multiply_tile(const TileOperand& a, const TileOperand& b,
                                  const TileTarget& c) const {
        namespace wmma = nvcuda::wmma;
        using Layout = std::conditional_t<kByRows, wmma::col_major, wmma::row_major>;
        constexpr int kSize = kTileSize;
        const auto numbers = [](const Bf16* from) {
            return reinterpret_cast<const __nv_bfloat16*>(from);
        };
        for (int n = 0; n < c.columns; n += kSize) {
            wmma::fragment<wmma::accumulator, kSize, kSize, kSize, float> total;
            if (c.add)
                wmma::load_matrix_sync(total, c.numbers + n, c.stride, wmma::mem_row_major);
            else
                wmma::fill_fragment(total, 0.0F);
            for (int k = 0; k < c.depth; k += kSize) {
                wmma::fragment<wmma::matrix_a, kSize, kSize, kSize, __nv_bfloat16, wmma::row_major>
                    left;
                wmma::fragment<wmma::matrix_b, kSize, kSize, kSize, __nv_bfloat16, Layout> right;
                wmma::load_matrix_sync(left, numbers(a.numbers + k), a.stride);
                const Bf16* from = b.numbers + (kByRows ? n * b.stride + k : k * b.stride + n);
                wmma::load_matrix_sync(right, numbers(from), b.stride);
                wmma::mma_sync(total, left, right, total);
            }
            wmma::store_matrix_sync(c.numbers + n, total, c.stride, wmma::mem_row_major);
        }
    }

  private:
    std::byte* shared_;
};

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads) run_kernel(const Kernel kernel) {
    extern __shared__ __align__(kSharedAlignment) std::byte shared[];
    DeviceBlock block(shared);
    kernel.run(block);
}

}  // namespace mc::cuda
