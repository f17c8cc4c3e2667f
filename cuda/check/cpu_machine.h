// SPDX-License-Identifier: Apache-2.0
// Where a case runs, the CPU: the form that tests compare with the program's own kernels.
//
// The same interface as DeviceMachine (device_machine.h): upload, room, download, run, reset.
// Ownership: pointers die at reset(). Threads: one. Errors: kUsage of check_limits().
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/cpu_block.h"
#include "cuda/kernel_limits.h"

namespace mc::cuda {

class CpuMachine {
  public:
    // A copy of numbers.
    template <class T>
    Result<T*> upload(const std::vector<T>& numbers) {
        MC_ASSIGN(T * to, room<T>(numbers.size()));
        std::memcpy(to, numbers.data(), numbers.size() * sizeof(T));
        return to;
    }

    template <class T>
    Result<T*> room(std::size_t count) {
        return reinterpret_cast<T*>(
            pieces_.emplace_back(std::make_unique<std::byte[]>(count * sizeof(T))).get());
    }

    template <class T>
    Result<std::vector<T>> download(const T* from, std::size_t count) {
        return std::vector<T>(from, from + count);
    }

    // Seconds of one run; the CPU's form is not for speed, so it says 0.
    template <class Kernel>
    Result<double> run(const Kernel& kernel) {
        MC_TRY(check_limits(kernel));
        run_on_cpu(kernel);
        return 0.0;
    }

    void reset() { pieces_.clear(); }

  private:
    std::vector<std::unique_ptr<std::byte[]>> pieces_;
};

}  // namespace mc::cuda
