// SPDX-License-Identifier: Apache-2.0
// Runs a kernel's body twice, its threads ascending and descending, and says where the results
// differ: there a thread reads what another one writes in the same phase.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "cuda/cpu_block.h"
#include "cuda/kernel_limits.h"

namespace mc::cuda::test {

// A kernel that writes all of out. It must be launchable too.
template <class Kernel, class T>
void run_in_both_orders(const Kernel& kernel, std::vector<T>& out) {
    const auto fits = check_limits(kernel);
    ASSERT_TRUE(fits) << fits.error().to_string();
    const std::vector<T> before = out;
    run_on_cpu(kernel, ThreadOrder::kDescending);
    const std::vector<T> descending = out;
    out = before;
    run_on_cpu(kernel, ThreadOrder::kAscending);
    EXPECT_EQ(std::memcmp(out.data(), descending.data(), out.size() * sizeof(T)), 0)
        << "the order of threads changes the result";
}

}  // namespace mc::cuda::test
