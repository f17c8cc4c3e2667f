// SPDX-License-Identifier: Apache-2.0
// The bounded queue in front of the one engine thread.
//
// A request takes a Place before anything is done for it, and gives it back by its end; no place
// means that the caller should come again later. With a place, run() puts work in the queue and
// waits until the engine thread has done it; start() does not wait. After close() there are no new
// places; serve() returns once all are given back, so whatever was admitted is done and answered.
// What is short and changes nothing goes before what does (Order), each kind in the order in which
// it came. Work of the background is done while no request waits, and after every kJobsPerStep
// requests.
// Ownership: Places borrow the queue. Threads: serve() is the engine's, everything else is safe
// from many. Errors: none.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/mutex.h"

namespace mc::serve {

// Under a load that never ends, a twentieth of the engine's turns is the background's.
inline constexpr std::size_t kJobsPerStep = 20;

// Under a load of questions that never ends, a fifth of the engine's turns is everything else's.
inline constexpr std::size_t kReadsInARow = 4;

// What comes first of what waits.
enum class Order {
    kRead,    // some milliseconds, and the memory is as before
    kInTurn,  // everything else
};

class EngineQueue {
    struct Job {
        std::function<void()> work;
        bool done = false;  // guarded by the queue's mutex
    };

  public:
    // A place in the queue, for the scope of a request.
    class Place {
      public:
        Place(Place&& other) noexcept : queue_(other.queue_), job_(std::move(other.job_)) {
            other.queue_ = nullptr;
        }

        // Waits for the end of what was started.
        ~Place();
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        Place& operator=(Place&&) = delete;

        // Runs the work on the engine thread; returns when it is done.
        void run(std::function<void()> work, Order order = Order::kInTurn);
        // The two halves of run(), in turn.
        void start(std::function<void()> work, Order order = Order::kInTurn);
        void wait();

      private:
        friend class EngineQueue;

        explicit Place(EngineQueue& queue) : queue_(&queue) {}

        EngineQueue* queue_;        // null: moved from
        std::unique_ptr<Job> job_;  // what was started and not waited for
    };

    // What the engine does between requests, a step at a time.
    class Background {
      public:
        virtual ~Background() = default;

        // Both: false when there is nothing to do, until a request was served or wake() is called.
        virtual bool step() = 0;

        // What is never done while a request waits, nor within kRest (serve/protocol/rest.h) of the
        // last one.
        virtual bool idle_step() { return false; }
    };

    explicit EngineQueue(std::size_t places_max) : places_max_(places_max) {}

    // nullopt while all are taken, and after close().
    std::optional<Place> admit();

    // background: null for none. Its steps end with close().
    void serve(Background* background = nullptr);
    void wake();
    void close();

  private:
    bool may_step() const MC_REQUIRES(mutex_) { return has_background_ && !closed_; }

    bool is_idle() const MC_REQUIRES(mutex_) { return reads_.empty() && others_.empty(); }

    // Requires: something waits.
    Job* take_job() MC_REQUIRES(mutex_);
    enum class Turn { kJob, kStep, kIdleStep, kEnd };
    // Waits for kRest; false where a request or the end comes before.
    bool rest();
    // Waits for what is next; takes it.
    Turn take_turn(std::size_t jobs_in_a_row, Job*& job);

    const std::size_t places_max_;
    Mutex mutex_;
    std::condition_variable_any changed_;
    // Each its place's.
    std::deque<Job*> reads_ MC_GUARDED_BY(mutex_);
    std::deque<Job*> others_ MC_GUARDED_BY(mutex_);
    std::size_t reads_in_a_row_ MC_GUARDED_BY(mutex_) = 0;
    std::size_t places_taken_ MC_GUARDED_BY(mutex_) = 0;
    bool has_background_ MC_GUARDED_BY(mutex_) = false;  // a step may find something to do
    bool closed_ MC_GUARDED_BY(mutex_) = false;
};

}  // namespace mc::serve
