// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/spin_team.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace mc::lm {
namespace {

// Members add up a range in rounds; every round needs what all of them wrote in the one before.
std::int64_t rounds_of_a_team(std::int64_t members_max, int rounds) {
    constexpr std::int64_t kSize = 97;
    std::vector<std::int64_t> values(kSize, 1);
    std::vector<std::int64_t> next(kSize, 0);
    run_team(members_max, [&](const TeamMember& member) {
        for (int round = 0; round < rounds; ++round) {
            const auto begin = static_cast<std::size_t>(member.begin_of(kSize));
            const auto end = static_cast<std::size_t>(member.end_of(kSize));
            for (std::size_t i = begin; i < end; ++i) next[i] = values[i] + values[kSize - 1 - i];
            member.meet();
            for (std::size_t i = begin; i < end; ++i) values[i] = next[i] % 1'000'003;
            member.meet();
        }
    });
    std::int64_t sum = 0;
    for (const std::int64_t value : values) sum += value;
    return sum;
}

TEST(SpinTeam, MembersSeeWhatAllWroteBeforeTheyMet) {
    omp_set_num_threads(1);
    const std::int64_t alone = rounds_of_a_team(16, 40);
    for (const int threads : {2, 3}) {
        omp_set_num_threads(threads);
        EXPECT_EQ(rounds_of_a_team(16, 40), alone) << threads << " threads";
    }
    EXPECT_EQ(rounds_of_a_team(2, 40), alone);
}

TEST(SpinTeam, InsideAParallelRegionATeamIsOneMember) {
    omp_set_num_threads(2);
    std::atomic<int> members{0};
#pragma omp parallel num_threads(2)
    run_team(16, [&](const TeamMember& member) {
        EXPECT_EQ(member.count, 1);
        ++members;
        member.meet();
    });
    EXPECT_EQ(members, 2);
}

// Asked for three threads and given two, a member once waited for ever while the other gave up.
TEST(SpinTeamDeathTest, ATeamOfFewerThreadsThanWereAskedForDoesTheWork) {
    ::setenv("OMP_THREAD_LIMIT", "2", 1);
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a child that starts afresh reads the limit
    EXPECT_EXIT(
        {
            ::alarm(60);
            omp_set_num_threads(3);
            std::int64_t came = 0;
            run_team(3, [&](const TeamMember& member) {
                if (member.index == 0) came = member.count;
                member.meet();
            });
            std::exit(came == 2 && rounds_of_a_team(3, 10) > 0 ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
    ::unsetenv("OMP_THREAD_LIMIT");
}

}  // namespace
}  // namespace mc::lm
