// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"

#include <gtest/gtest.h>

#include <array>

namespace mc {
namespace {

// First outputs of the authors' splitmix64.c with seed 1234567.
TEST(Rng, equals_the_reference_generator) {
    Rng rng(1234567);
    for (std::uint64_t expected :
         {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
          4593380528125082431ULL, 16408922859458223821ULL})
        EXPECT_EQ(rng.next(), expected);
}

TEST(Rng, a_copy_continues_as_the_original_does) {
    Rng rng(42);
    rng.next();
    Rng copy = rng;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.next(), copy.next());
    EXPECT_EQ(rng.state(), copy.state());
}

TEST(Rng, below_stays_below_and_reaches_every_value) {
    Rng rng(1);
    std::array<int, 7> seen{};
    for (int i = 0; i < 7000; ++i) {
        const std::uint64_t value = rng.below(7);
        ASSERT_LT(value, 7u);
        ++seen[value];
    }
    // 1,000 expected each, standard deviation 29: eight of them on either side.
    for (int count : seen) {
        EXPECT_GT(count, 770);
        EXPECT_LT(count, 1230);
    }
    EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, uniform_stays_in_the_half_open_unit_interval_with_mean_one_half) {
    Rng rng(2);
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double value = rng.uniform();
        ASSERT_GE(value, 0.0);
        ASSERT_LT(value, 1.0);
        sum += value;
    }
    EXPECT_NEAR(sum / 10000, 0.5, 0.02);  // standard error 0.003
}

TEST(RngDeathTest, an_empty_range_is_a_bug) {
    Rng rng(3);
    EXPECT_DEATH(rng.below(0), "empty range");
}

}  // namespace
}  // namespace mc
