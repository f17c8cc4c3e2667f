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

void EngineQueue::Place::run(std::function<void()> work) {
    start(std::move(work));
    wait();
}

void EngineQueue::Place::start(std::function<void()> work) {
    MC_CHECK(queue_ != nullptr, "a place that was moved from runs nothing");
    MC_CHECK(job_ == nullptr, "a place does one thing at a time");
    job_ = std::make_unique<Job>(Job{std::move(work)});
    const ScopedLock lock(queue_->mutex_);
    queue_->jobs_.push_back(job_.get());
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

EngineQueue::Turn EngineQueue::take_turn(std::size_t jobs_in_a_row, Job*& job) {
    const ScopedLock lock(mutex_);
    while (jobs_.empty() && !may_step() && (!closed_ || places_taken_ > 0)) changed_.wait(mutex_);
    if (may_step() && (jobs_.empty() || jobs_in_a_row >= kJobsPerStep)) {
        has_background_ = false;  // unless it says otherwise, or is woken meanwhile
        return jobs_.empty() ? Turn::kIdleStep : Turn::kStep;
    }
    if (jobs_.empty()) return Turn::kEnd;
    job = jobs_.front();
    jobs_.pop_front();
    return Turn::kJob;
}

bool EngineQueue::rest() {
    const auto end = std::chrono::steady_clock::now() + kRest;
    const ScopedLock lock(mutex_);
    while (jobs_.empty() && !closed_)
        if (changed_.wait_until(mutex_, end) == std::cv_status::timeout) break;
    return jobs_.empty() && !closed_;
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
