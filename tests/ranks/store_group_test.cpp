// SPDX-License-Identifier: Apache-2.0
// Ranks in threads of this process that meet in a real TCPStore on the loopback address.
#include "ranks/c10d/store_group.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace mc::ranks {
namespace {

// A store as another process would keep it.
class StoreGroups : public testing::Test {
  protected:
    StoreGroups() {
        c10d::TCPStoreOptions options;
        options.port = 0;
        options.isServer = true;
        options.waitWorkers = false;
        store_ = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    }

    GroupOptions options(int world, int rank) const {
        GroupOptions options;
        options.world = world;
        options.rank = rank;
        options.place = {"127.0.0.1", store_->getPort(), true, "here/"};
        options.silence_seconds = 1;
        return options;
    }

    void run(int world, const std::function<void(RankGroup&)>& work, int silence = 1) const {
        std::vector<std::jthread> threads;
        for (int rank = 0; rank < world; ++rank)
            threads.emplace_back([&, rank] {
                GroupOptions mine = options(world, rank);
                mine.silence_seconds = silence;
                const auto group = join_group(mine);
                ASSERT_TRUE(group) << group.error().to_string();
                work(**group);
            });
    }

    c10::intrusive_ptr<c10d::TCPStore> store_;
};

// Longer than a value of the store may be, for one rank; nothing, for another.
std::string brought(int rank, int round) {
    if (rank == 1) return {};
    const std::size_t size = rank == 0 ? 9'000'001 : 5;
    return std::string(size, static_cast<char>('a' + rank + round));
}

TEST_F(StoreGroups, EveryRankGetsWhatAllBroughtRoundAfterRound) {
    run(3, [](RankGroup& group) {
        EXPECT_EQ(group.world(), 3);
        for (int round = 0; round < 4; ++round) {
            const auto all = group.gather(brought(group.rank(), round));
            ASSERT_TRUE(all) << all.error().to_string();
            ASSERT_EQ(all->size(), 3U);
            for (int rank = 0; rank < 3; ++rank)
                EXPECT_TRUE((*all)[static_cast<std::size_t>(rank)] == brought(rank, round)) << rank;
        }
    });
    // What was brought does not stay: the last round, and what ranks say of themselves.
    EXPECT_LT(store_->getNumKeys(), 24);
}

TEST_F(StoreGroups, ARankThatLeavesEndsTheOthersWithItsName) {
    run(3, [](RankGroup& group) {
        ASSERT_TRUE(group.gather("one"));
        if (group.rank() == 2) return;
        const auto all = group.gather("two");
        ASSERT_FALSE(all);
        EXPECT_EQ(all.error().code(), ErrorCode::kIo);
        // The one that noticed first leaves too.
        EXPECT_NE(all.error().message().find("has ended before the work was done"),
                  std::string::npos)
            << all.error().message();
    });
}

TEST_F(StoreGroups, ARankThatIsSilentEndsTheOthersWithItsName) {
    // It came, and its machine went: nothing says that it left.
    store_->add("here/joined/1", 1);
    store_->c10d::Store::set("here/alive/1", std::string("1"));
    const auto group = join_group(options(2, 0));
    ASSERT_TRUE(group) << group.error().to_string();
    const auto all = (*group)->gather("one");
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code(), ErrorCode::kIo);
    EXPECT_NE(all.error().message().find("rank 1 has not been heard from"), std::string::npos)
        << all.error().message();
}

TEST_F(StoreGroups, ARankThatOnlyTakesLongIsWaitedFor) {
    constexpr int kSilence = 5;
    const auto waits = [this](RankGroup& group) {
        // Longer than silence is borne: what it says meanwhile is what counts.
        const std::string heart = "here/alive/0";
        while (group.rank() == 1 && std::stoi(store_->get_to_str(heart)) < kSilence + 2)
            std::this_thread::yield();
        EXPECT_TRUE(group.gather("one"));
    };
    run(2, waits, kSilence);
}

TEST_F(StoreGroups, TwoProcessesThatClaimOneRankOrAnotherWorldAreRefused) {
    store_->add("here/joined/1", 1);
    store_->c10d::Store::set("here/world/0", std::string("2"));
    const auto twice = join_group(options(2, 1));
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code(), ErrorCode::kUsage);
    EXPECT_NE(twice.error().message().find("another process is rank 1"), std::string::npos);
    const auto other_world = join_group(options(3, 2));
    ASSERT_FALSE(other_world);
    EXPECT_EQ(other_world.error().code(), ErrorCode::kUsage);
    EXPECT_NE(other_world.error().message().find("--world"), std::string::npos);
    EXPECT_EQ(join_group(options(2, 2)).error().code(), ErrorCode::kUsage);
}

TEST_F(StoreGroups, WhoCannotReachTheStoreSaysWhere) {
    GroupOptions lost = options(2, 1);
    lost.place.port = 1;  // nobody listens there
    lost.join_seconds = 1;
    const auto group = join_group(lost);
    ASSERT_FALSE(group);
    EXPECT_EQ(group.error().code(), ErrorCode::kIo);
    EXPECT_NE(group.error().message().find("127.0.0.1:1"), std::string::npos)
        << group.error().message();
}

TEST(StoreGroup, OneProcessNeedsNoStore) {
    const auto group = join_group({});
    ASSERT_TRUE(group);
    EXPECT_EQ((*group)->gather("alone").value(), std::vector<std::string>{"alone"});
}

}  // namespace
}  // namespace mc::ranks
