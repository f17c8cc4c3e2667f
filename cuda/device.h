// SPDX-License-Identifier: Apache-2.0
// One CUDA device: what it is, a stream of work, memory on it and pinned memory beside it.
//
// In builds with MEGACONTEXT_CUDA alone. The device is the thread's current one, the first unless
// CUDA_VISIBLE_DEVICES says otherwise. Ownership: every class owns what it made; memory outlives
// the work that uses it (synchronize() first). Threads: an object belongs to one at a time. Errors:
// kOutOfSpace when memory is refused; kIo for everything else that the device or its driver
// reports, with the name of CUDA's error. Work is asynchronous: a failure of a kernel may be told
// by a later call, synchronize() at the latest.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/result.h"
#include "cuda/arena.h"

struct CUstream_st;  // CUDA's cudaStream_t points to it
struct CUevent_st;

namespace mc::cuda {

// A status of CUDA's runtime, 0 for none, as a result.
Result<void> device_result(int status, const char* doing);

struct DeviceInfo {
    std::string name;
    int major = 0;  // compute capability
    int minor = 0;
    int multiprocessors = 0;
    std::size_t memory_bytes = 0;
};

// Errors: kUsage when there is no device or no driver.
Result<DeviceInfo> find_device();

class DeviceStream {
  public:
    static Result<std::unique_ptr<DeviceStream>> make();
    ~DeviceStream();
    DeviceStream(const DeviceStream&) = delete;
    DeviceStream& operator=(const DeviceStream&) = delete;

    // In the stream's order. Copies from or to memory that is not pinned wait for it.
    Result<void> copy_to_device(std::byte* to, const std::byte* from, std::size_t count_bytes);
    Result<void> copy_to_host(std::byte* to, const std::byte* from, std::size_t count_bytes);

    // Waits for everything that the stream was given.
    Result<void> synchronize();

    // The stream's time from start_clock() to here, in seconds; waits for it.
    Result<void> start_clock();
    Result<double> stop_clock();

    CUstream_st* native() const { return stream_; }

  private:
    DeviceStream() = default;

    CUstream_st* stream_ = nullptr;
    CUevent_st* started_ = nullptr;
    CUevent_st* stopped_ = nullptr;
};

enum class MemoryKind {
    kDevice,  // the host cannot look into it
    kPinned,  // the host's, where copies need not wait
};

// One allocation, handed out in pieces.
class DeviceMemory {
  public:
    static Result<std::unique_ptr<DeviceMemory>> make(MemoryKind kind, std::size_t size_bytes);
    ~DeviceMemory();
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;

    Arena& arena() { return arena_; }

  private:
    DeviceMemory(MemoryKind kind, std::byte* begin, std::size_t size_bytes)
        : kind_(kind), begin_(begin), arena_(begin, size_bytes) {}

    MemoryKind kind_;
    std::byte* begin_;
    Arena arena_;
};

}  // namespace mc::cuda
