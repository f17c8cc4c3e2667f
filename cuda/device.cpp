// SPDX-License-Identifier: Apache-2.0
#include "cuda/device.h"

#include <cuda_runtime_api.h>

namespace mc::cuda {

Result<void> device_result(int status, const char* doing) {
    if (status == cudaSuccess) return {};
    const auto error = static_cast<cudaError_t>(status);
    return fail(
        error == cudaErrorMemoryAllocation ? ErrorCode::kOutOfSpace : ErrorCode::kIo,
        std::string(doing) + ": " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error));
}

Result<DeviceInfo> find_device() {
    int count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found != cudaSuccess || count == 0)
        return fail(ErrorCode::kUsage,
                    std::string("no CUDA device: ") +
                        (found == cudaSuccess ? "none is visible" : cudaGetErrorString(found)));
    cudaDeviceProp properties{};
    MC_TRY(device_result(cudaGetDeviceProperties(&properties, 0), "asking what the device is"));
    return DeviceInfo{properties.name, properties.major, properties.minor,
                      properties.multiProcessorCount, properties.totalGlobalMem};
}

Result<std::unique_ptr<DeviceStream>> DeviceStream::make() {
    std::unique_ptr<DeviceStream> made(new DeviceStream());
    MC_TRY(device_result(cudaStreamCreateWithFlags(&made->stream_, cudaStreamNonBlocking),
                         "making a stream"));
    MC_TRY(device_result(cudaEventCreate(&made->started_), "making a stream's clock"));
    MC_TRY(device_result(cudaEventCreate(&made->stopped_), "making a stream's clock"));
    return made;
}

// What a failing device says here was told, or will be, by the calls that needed it.
DeviceStream::~DeviceStream() {
    if (stopped_ != nullptr) cudaEventDestroy(stopped_);
    if (started_ != nullptr) cudaEventDestroy(started_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

Result<void> DeviceStream::copy_to_device(std::byte* to, const std::byte* from,
                                          std::size_t count_bytes) {
    return device_result(cudaMemcpyAsync(to, from, count_bytes, cudaMemcpyHostToDevice, stream_),
                         "copying to the device");
}

Result<void> DeviceStream::copy_to_host(std::byte* to, const std::byte* from,
                                        std::size_t count_bytes) {
    return device_result(cudaMemcpyAsync(to, from, count_bytes, cudaMemcpyDeviceToHost, stream_),
                         "copying from the device");
}

Result<void> DeviceStream::synchronize() {
    return device_result(cudaStreamSynchronize(stream_), "waiting for the device");
}

Result<void> DeviceStream::start_clock() {
    return device_result(cudaEventRecord(started_, stream_), "starting a stream's clock");
}

Result<double> DeviceStream::stop_clock() {
    MC_TRY(device_result(cudaEventRecord(stopped_, stream_), "stopping a stream's clock"));
    MC_TRY(device_result(cudaEventSynchronize(stopped_), "waiting for the device"));
    float milliseconds = 0;
    MC_TRY(device_result(cudaEventElapsedTime(&milliseconds, started_, stopped_),
                         "reading a stream's clock"));
    return static_cast<double>(milliseconds) / 1e3;
}

Result<std::unique_ptr<DeviceMemory>> DeviceMemory::make(MemoryKind kind, std::size_t size_bytes) {
    void* begin = nullptr;
    const std::string doing = "taking " + std::to_string(size_bytes) + " bytes of " +
                              (kind == MemoryKind::kDevice ? "the device's" : "pinned") + " memory";
    MC_TRY(device_result(kind == MemoryKind::kDevice
                             ? cudaMalloc(&begin, size_bytes)
                             : cudaHostAlloc(&begin, size_bytes, cudaHostAllocDefault),
                         doing.c_str()));
    return std::unique_ptr<DeviceMemory>(
        new DeviceMemory(kind, static_cast<std::byte*>(begin), size_bytes));
}

DeviceMemory::~DeviceMemory() {
    if (kind_ == MemoryKind::kDevice)
        cudaFree(begin_);
    else
        cudaFreeHost(begin_);
}

}  // namespace mc::cuda
