// SPDX-License-Identifier: Apache-2.0
#include "serve/mcp/message_queue.h"

#include <utility>

namespace mc::serve {

void MessageQueue::push(QueuedMessage message) {
    const ScopedLock lock(mutex_);
    while (waiting_.size() >= size_max_) changed_.wait(mutex_);
    waiting_.push_back(std::move(message));
    changed_.notify_all();
}

void MessageQueue::cancel(const std::string& id) {
    if (id.empty()) return;
    const ScopedLock lock(mutex_);
    std::erase_if(waiting_, [&](const QueuedMessage& message) { return message.id == id; });
    if (answering_ == id) cancelled_ = true;
    changed_.notify_all();
}

void MessageQueue::close() {
    const ScopedLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

bool MessageQueue::stays_idle_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    const ScopedLock lock(mutex_);
    while (waiting_.empty() && !closed_)
        if (changed_.wait_until(mutex_, end) == std::cv_status::timeout) break;
    return waiting_.empty() && !closed_;
}

std::optional<QueuedMessage> MessageQueue::pop() {
    const ScopedLock lock(mutex_);
    answering_.clear();
    cancelled_ = false;
    while (waiting_.empty() && !closed_) changed_.wait(mutex_);
    if (waiting_.empty()) return std::nullopt;
    QueuedMessage message = std::move(waiting_.front());
    waiting_.pop_front();
    answering_ = message.id;
    changed_.notify_all();
    return message;
}

}  // namespace mc::serve
