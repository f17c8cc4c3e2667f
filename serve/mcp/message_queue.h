// SPDX-License-Identifier: Apache-2.0
// Messages on their way from a transport to the one thread that answers them, and word of those
// that nobody waits for any more.
//
// Bounded: push() waits while it is full, so a client that sends without reading is slowed down
// and costs no memory. Threads: one pushes, cancels and closes, one pops. Errors: none.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "core/mutex.h"

namespace mc::serve {

// What came, and the id by which it can be taken back; empty for what has none.
struct QueuedMessage {
    std::string id;
    std::string text;
};

class MessageQueue {
  public:
    explicit MessageQueue(std::size_t size_max) : size_max_(size_max) {}

    void push(QueuedMessage message);
    // A message that waits is dropped; of one that is being answered, cancelled() becomes true.
    void cancel(const std::string& id);
    // Nothing more will come.
    void close();

    // Whether nothing waits and something may come, after waiting that long for it.
    bool stays_idle_for(std::chrono::milliseconds time);

    // The next message, nullopt when none will come. Ends the answering of the one before it.
    std::optional<QueuedMessage> pop();

    // Whether the message that was popped last was cancelled since.
    const std::atomic<bool>& cancelled() const { return cancelled_; }

  private:
    const std::size_t size_max_;
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<QueuedMessage> waiting_ MC_GUARDED_BY(mutex_);
    std::string answering_ MC_GUARDED_BY(mutex_);  // id of the message popped last
    bool closed_ MC_GUARDED_BY(mutex_) = false;
    std::atomic<bool> cancelled_ = false;
};

}  // namespace mc::serve
