// SPDX-License-Identifier: Apache-2.0
// Where a case runs, the device: memory taken once, copies through pinned memory, times of a
// stream.
//
// Ownership: pointers die at reset(). Threads: one. Errors: those of cuda/device.h; kOutOfSpace
// when a case asks for more than kDeviceBytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/launch.h"

namespace mc::cuda {

class DeviceMachine {
  public:
    // Above what the largest case takes; a tenth of the smallest device that 9.0 names.
    static constexpr std::size_t kDeviceBytes = 2UL << 30;
    static constexpr std::size_t kPinnedBytes = 64UL << 20;

    static Result<std::unique_ptr<DeviceMachine>> make() {
        std::unique_ptr<DeviceMachine> made(new DeviceMachine());
        MC_ASSIGN(made->stream_, DeviceStream::make());
        MC_ASSIGN(made->memory_, DeviceMemory::make(MemoryKind::kDevice, kDeviceBytes));
        MC_ASSIGN(made->pinned_, DeviceMemory::make(MemoryKind::kPinned, kPinnedBytes));
        MC_ASSIGN(made->window_, made->pinned_->arena().template take<std::byte>(kPinnedBytes));
        return made;
    }

    template <class T>
    Result<T*> upload(const std::vector<T>& numbers) {
        MC_ASSIGN(T * to, room<T>(numbers.size()));
        const auto* from = reinterpret_cast<const std::byte*>(numbers.data());
        const std::size_t size_bytes = numbers.size() * sizeof(T);
        for (std::size_t at = 0; at < size_bytes; at += kPinnedBytes) {
            const std::size_t count = std::min(kPinnedBytes, size_bytes - at);
            std::memcpy(window_, from + at, count);
            MC_TRY(stream_->copy_to_device(reinterpret_cast<std::byte*>(to) + at, window_, count));
            MC_TRY(stream_->synchronize());
        }
        return to;
    }

    template <class T>
    Result<T*> room(std::size_t count) {
        return memory_->arena().template take<T>(count);
    }

    template <class T>
    Result<std::vector<T>> download(const T* from, std::size_t count) {
        std::vector<T> out(count);
        const std::size_t size_bytes = count * sizeof(T);
        for (std::size_t at = 0; at < size_bytes; at += kPinnedBytes) {
            const std::size_t part = std::min(kPinnedBytes, size_bytes - at);
            MC_TRY(stream_->copy_to_host(window_, reinterpret_cast<const std::byte*>(from) + at,
                                         part));
            MC_TRY(stream_->synchronize());
            std::memcpy(reinterpret_cast<std::byte*>(out.data()) + at, window_, part);
        }
        return out;
    }

    // The median of five groups of ten launches, in seconds of one, after a first that is not
    // counted.
    template <class Kernel>
    Result<double> run(const Kernel& kernel) {
        constexpr int kLaunches = 10;
        std::array<double, 5> seconds{};
        MC_TRY(launch(kernel, *stream_));
        MC_TRY(stream_->synchronize());
        for (double& group : seconds) {
            MC_TRY(stream_->start_clock());
            for (int i = 0; i < kLaunches; ++i) MC_TRY(launch(kernel, *stream_));
            MC_ASSIGN(group, stream_->stop_clock());
        }
        std::sort(seconds.begin(), seconds.end());
        return seconds[seconds.size() / 2] / kLaunches;
    }

    void reset() { memory_->arena().reset(); }

  private:
    DeviceMachine() = default;

    std::unique_ptr<DeviceStream> stream_;
    std::unique_ptr<DeviceMemory> memory_;
    std::unique_ptr<DeviceMemory> pinned_;
    std::byte* window_ = nullptr;  // all of pinned_
};

}  // namespace mc::cuda
