// SPDX-License-Identifier: Apache-2.0
// A device's memory, copies and clock; without one, that its absence is an error and nothing worse.
// (Its kernels: megacontext-device-check.)
#include "cuda/device.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "cuda/launch.h"

namespace mc::cuda::test {
namespace {

TEST(Device, absence_is_an_error_of_everything_that_needs_one) {
    const auto device = find_device();
    if (device) GTEST_SKIP() << "this machine has a device: " << device->name;
    EXPECT_EQ(device.error().code(), ErrorCode::kUsage);
    const auto stream = DeviceStream::make();
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code(), ErrorCode::kIo);
    EXPECT_NE(stream.error().message().find("making a stream: cudaError"), std::string::npos)
        << stream.error().message();
    for (const MemoryKind kind : {MemoryKind::kDevice, MemoryKind::kPinned}) {
        const auto memory = DeviceMemory::make(kind, 1024);
        ASSERT_FALSE(memory);
        EXPECT_EQ(memory.error().code(), ErrorCode::kIo);
    }
}

TEST(Device, memory_that_is_refused_is_out_of_space) {
    const auto refused = device_result(2, "taking 7 bytes");  // cudaErrorMemoryAllocation
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
    EXPECT_EQ(refused.error().message(),
              "taking 7 bytes: cudaErrorMemoryAllocation: out of memory");
    EXPECT_TRUE(device_result(0, "nothing"));
}

TEST(Device, numbers_come_back_through_pinned_memory) {
    if (const auto device = find_device(); !device) GTEST_SKIP() << device.error().message();
    const auto stream = DeviceStream::make().value();
    const auto memory = DeviceMemory::make(MemoryKind::kDevice, 1 << 20).value();
    const auto pinned = DeviceMemory::make(MemoryKind::kPinned, 1 << 20).value();
    auto* on_device = memory->arena().take<std::byte>(4000).value();
    auto* sent = pinned->arena().take<float>(1000).value();
    auto* received = pinned->arena().take<float>(1000).value();
    std::iota(sent, sent + 1000, 0.0F);
    std::fill_n(received, 1000, -1.0F);
    ASSERT_TRUE(stream->start_clock());
    ASSERT_TRUE(stream->copy_to_device(on_device, reinterpret_cast<std::byte*>(sent), 4000));
    ASSERT_TRUE(stream->copy_to_host(reinterpret_cast<std::byte*>(received), on_device, 4000));
    EXPECT_GT(stream->stop_clock().value(), 0);
    ASSERT_TRUE(stream->synchronize());
    EXPECT_TRUE(std::equal(sent, sent + 1000, received));
}

TEST(Device, a_kernel_beyond_its_limits_is_not_launched) {
    if (const auto device = find_device(); !device) GTEST_SKIP() << device.error().message();
    const auto stream = DeviceStream::make().value();
    AttendTiles kernel{};
    kernel.in.head_dim = 40;
    const auto refused = launch(kernel, *stream);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
    EXPECT_TRUE(launch(Dequantize<F16, float>{nullptr, nullptr, 0}, *stream));
}

}  // namespace
}  // namespace mc::cuda::test
