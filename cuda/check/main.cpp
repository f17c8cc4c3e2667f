// SPDX-License-Identifier: Apache-2.0
// megacontext-device-check: every kernel on this machine's device against the CPU's numbers, then
// its time at the base model's sizes. Takes no arguments. Exit status: 0 all agree; 1 one does not;
// 3 the device failed; 77 there is no device.
#include <cstdio>

#include "cuda/check/device_machine.h"
#include "cuda/check/kernel_checks.h"

namespace {

constexpr int kDisagrees = 1;
constexpr int kFailed = 3;
constexpr int kNoDevice = 77;

mc::Result<bool> check_all(mc::cuda::DeviceMachine& machine) {
    bool agrees = true;
    MC_TRY(mc::cuda::check_kernels(
        machine, mc::cuda::kComparedSizes, true, [&](const mc::cuda::Outcome& outcome) {
            std::printf("%-16s %-28s %-9s largest difference %.3g, allowed %.3g\n",
                        outcome.size.name.c_str(), outcome.size.sizes.c_str(),
                        outcome.agrees() ? "agrees" : "DISAGREES", outcome.difference,
                        outcome.size.allowed);
            agrees = agrees && outcome.agrees();
        }));
    return agrees;
}

mc::Result<void> time_all(mc::cuda::DeviceMachine& machine) {
    return mc::cuda::check_kernels(
        machine, mc::cuda::kTimedSizes, false, [](const mc::cuda::Outcome& outcome) {
            std::printf("%-16s %-28s %10.1f us %9.1f GB/s %9.2f TFLOPS\n",
                        outcome.size.name.c_str(), outcome.size.sizes.c_str(),
                        1e6 * outcome.seconds, 1e-9 * outcome.size.bytes / outcome.seconds,
                        1e-12 * outcome.size.flops / outcome.seconds);
        });
}

int fail_with(const mc::Error& error, int status) {
    std::fprintf(stderr, "megacontext-device-check: %s\n", error.to_string().c_str());
    return status;
}

}  // namespace

int main() {
    const auto device = mc::cuda::find_device();
    if (!device) return fail_with(device.error(), kNoDevice);
    std::printf("device: %s, compute capability %d.%d, %d multiprocessors, %.0f GiB\n",
                device->name.c_str(), device->major, device->minor, device->multiprocessors,
                static_cast<double>(device->memory_bytes) / (1 << 30));
    const auto machine = mc::cuda::DeviceMachine::make();
    if (!machine) return fail_with(machine.error(), kFailed);
    const auto agrees = check_all(**machine);
    if (!agrees) return fail_with(agrees.error(), kFailed);
    if (const auto timed = time_all(**machine); !timed) return fail_with(timed.error(), kFailed);
    return *agrees ? 0 : kDisagrees;
}
