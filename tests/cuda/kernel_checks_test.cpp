// SPDX-License-Identifier: Apache-2.0
// The check of a device, run with the CPU in its place: it finds nothing there, and finds a machine
// whose numbers are off.
#include "cuda/check/kernel_checks.h"

#include <gtest/gtest.h>

namespace mc::cuda::test {
namespace {

constexpr CheckSizes kSizes{2 * 256, 3, 5, 2, 7, 20};

// Spoils the first number of what is read back, if asked to. Descending threads, as on another
// machine.
class OddMachine : public CpuMachine {
  public:
    explicit OddMachine(bool is_odd) : is_odd_(is_odd) {}

    template <class T>
    Result<std::vector<T>> download(const T* from, std::size_t count) {
        std::vector<T> numbers(from, from + count);
        if (is_odd_) numbers[0] = from_float<T>(std::isnan(to_float(numbers[0])) ? 1.0F : NAN);
        return numbers;
    }

    template <class Kernel>
    Result<double> run(const Kernel& kernel) {
        run_on_cpu(kernel, ThreadOrder::kDescending);
        return 1.0;
    }

  private:
    bool is_odd_;
};

std::vector<Outcome> outcomes_of(bool is_odd, bool compares) {
    OddMachine machine(is_odd);
    std::vector<Outcome> out;
    const auto checked = check_kernels(machine, kSizes, compares,
                                       [&](const Outcome& outcome) { out.push_back(outcome); });
    EXPECT_TRUE(checked) << checked.error().to_string();
    return out;
}

TEST(KernelChecks, the_cpu_agrees_with_itself) {
    const std::vector<Outcome> outcomes = outcomes_of(false, true);
    EXPECT_EQ(outcomes.size(), 2 * std::size(kWeightTypes) + 5);
    for (const Outcome& outcome : outcomes) {
        EXPECT_TRUE(outcome.agrees()) << outcome.size.name;
        EXPECT_GT(outcome.seconds, 0) << outcome.size.name;
        EXPECT_GT(outcome.size.bytes, 0) << outcome.size.name;
        EXPECT_GT(outcome.size.flops, 0) << outcome.size.name;
    }
}

TEST(KernelChecks, one_number_that_is_off_is_found_in_every_kernel) {
    for (const Outcome& outcome : outcomes_of(true, true))
        EXPECT_FALSE(outcome.agrees()) << outcome.size.name;
    for (const Outcome& outcome : outcomes_of(true, false))
        EXPECT_TRUE(outcome.agrees()) << "not compared: " << outcome.size.name;
}

TEST(KernelChecks, only_a_nan_agrees_with_a_nan) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(largest_difference({1, nan, infinity}, {1, nan, infinity}), 0);
    EXPECT_EQ(largest_difference({1, 2}, {1.5F, 2.25F}), 0.5);
    EXPECT_EQ(largest_difference({nan, 1}, {1, 1}), double{infinity});
    EXPECT_EQ(largest_difference({1, -infinity}, {1, infinity}), double{infinity});
    EXPECT_EQ(largest_difference({1}, {1, 2}), double{infinity});
}

}  // namespace
}  // namespace mc::cuda::test
