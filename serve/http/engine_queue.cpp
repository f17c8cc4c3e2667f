// SPDX-License-Identifier: Apache-2.0
#include "serve/http/engine_queue.h"

#include <utility>

#include "core/check.h"
#include "serve/protocol/rest.h"

namespace mc::serve {

EngineQueue::Place::~Place() {
    if (queue_ == nullptr) return;
    wait();
    const ScopedLock lock(queue_->mutex_);
    --queue_->places_taken_;
    queue_->changed_.notify_all();
}

void EngineQueue::Place::run(std::function<void()> work, Order order) {
    start(std::move(work), order);
    wait();
}

void EngineQueue::Place::start(std::function<void()> work, Order order) {
    MC_CHECK(queue_ != nullptr, "a place that was moved from runs nothing");
    MC_CHECK(job_ == nullptr, "a place does one thing at a time");
    job_ = std::make_unique<Job>(Job{std::move(work)});
    const ScopedLock lock(queue_->mutex_);
    (order == Order::kRead ? queue_->reads_ : queue_->others_).push_back(job_.get());
    queue_->changed_.notify_all();
}

void EngineQueue::Place::wait() {
    if (job_ == nullptr) return;
    {
        const ScopedLock lock(queue_->mutex_);
        while (!job_->done) queue_->changed_.wait(queue_->mutex_);
    }
    job_.reset();
}

std::optional<EngineQueue::Place> EngineQueue::admit() {
    const ScopedLock lock(mutex_);
    if (closed_ || places_taken_ >= places_max_) return std::nullopt;
    ++places_taken_;
    return Place(*this);
}

EngineQueue::Job* EngineQueue::take_job() {
    const bool is_read = others_.empty() || (!reads_.empty() && reads_in_a_row_ < kReadsInARow);
    std::deque<Job*>& jobs = is_read ? reads_ : others_;
    reads_in_a_row_ = is_read ? reads_in_a_row_ + 1 : 0;
    Job* const job = jobs.front();
    jobs.pop_front();
    return job;
}

EngineQueue::Turn EngineQueue::take_turn(std::size_t jobs_in_a_row, Job*& job) {
    const ScopedLock lock(mutex_);
    while (is_idle() && !may_step() && (!closed_ || places_taken_ > 0)) changed_.wait(mutex_);
    if (may_step() && (is_idle() || jobs_in_a_row >= kJobsPerStep)) {
        has_background_ = false;  // unless it says otherwise, or is woken meanwhile
        return is_idle() ? Turn::kIdleStep : Turn::kStep;
    }
    if (is_idle()) return Turn::kEnd;
    job = take_job();
    return Turn::kJob;
}

bool EngineQueue::rest() {
    const auto end = std::chrono::steady_clock::now() + kRest;
    const ScopedLock lock(mutex_);
    while (is_idle() && !closed_)
        if (changed_.wait_until(mutex_, end) == std::cv_status::timeout) break;
    return is_idle() && !closed_;
}

void EngineQueue::serve(Background* background) {
    std::size_t jobs_in_a_row = 0;
    bool rested = false;  // nobody has asked since
    while (true) {
        Job* job = nullptr;
        const Turn turn = take_turn(jobs_in_a_row, job);
        if (turn == Turn::kEnd) return;
        if (turn != Turn::kJob) {
            jobs_in_a_row = 0;
            if (background == nullptr) continue;
            bool goes_on = background->step();
            if (!goes_on && turn == Turn::kIdleStep) {
                rested = rested || rest();
                goes_on = rested && background->idle_step();
            }
            if (goes_on) wake();
            continue;
        }
        rested = false;
        ++jobs_in_a_row;
        job->work();
        const ScopedLock lock(mutex_);
        job->done = true;
        has_background_ = true;  // that the job has left
        changed_.notify_all();
    }
}

void EngineQueue::wake() {
    const ScopedLock lock(mutex_);
    has_background_ = true;
    changed_.notify_all();
}

void EngineQueue::close() {
    const ScopedLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

}  // namespace mc::serve
