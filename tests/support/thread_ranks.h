// SPDX-License-Identifier: Apache-2.0
// Ranks that are threads of one process, for tests of what ranks do together.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ranks/rank_group.h"

namespace mc::ranks::test {

// Where they bring things together.
class Meeting {
  public:
    explicit Meeting(int world) : world_(static_cast<std::size_t>(world)) {}

    std::size_t world() const { return world_; }

    Result<std::vector<std::string>> bring(std::size_t round, std::size_t rank, std::string bytes) {
        std::unique_lock lock(mutex_);
        brought_[round].emplace(rank, std::move(bytes));
        changed_.notify_all();
        changed_.wait(lock, [&] { return someone_left_ || brought_[round].size() == world_; });
        if (brought_[round].size() < world_) return fail(ErrorCode::kIo, "a rank has left");
        std::vector<std::string> all;
        for (const auto& [who, what] : brought_[round]) all.push_back(what);
        return all;
    }

    void leave() {
        const std::lock_guard lock(mutex_);
        someone_left_ = true;
        changed_.notify_all();
    }

  private:
    const std::size_t world_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::size_t, std::map<std::size_t, std::string>> brought_;  // by round and rank
    bool someone_left_ = false;
};

class ThreadRank final : public RankGroup {
  public:
    ThreadRank(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}

    ~ThreadRank() override { meeting_.leave(); }

    int rank() const override { return rank_; }

    int world() const override { return static_cast<int>(meeting_.world()); }

    Result<std::vector<std::string>> gather(std::string bytes) override {
        return meeting_.bring(round_++, static_cast<std::size_t>(rank_), std::move(bytes));
    }

  private:
    Meeting& meeting_;
    const int rank_;
    std::size_t round_ = 0;
};

// Runs work once for each rank, all at the same time.
inline void run_ranks(int world, const std::function<void(RankGroup&)>& work) {
    Meeting meeting(world);
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < world; ++rank)
        threads.emplace_back([&meeting, &work, rank] {
            ThreadRank self(meeting, rank);
            work(self);
        });
}

}  // namespace mc::ranks::test
