// SPDX-License-Identifier: Apache-2.0
// Server-sent events from work on the engine thread to the thread that writes them to a client.
//
// The engine never waits for a client: what it makes is short (an answer), so it lies here until it
// is taken. Who takes is given a comment where nothing comes for a while, so that a client's
// hang-up is noticed by writing; the stream's end then tells the work to stop and waits until it
// has. Ownership: owns a place in the engine's queue, which it gives back with its own end.
// Threads: send() and cancelled() are the work's, the rest is the client's. Errors: what the work
// gives back is a reply of its own where no event was sent yet, and an event after that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/mutex.h"
#include "serve/http/engine_queue.h"
#include "serve/http/http_message.h"

namespace mc::serve {

// "event: NAME" where there is one, and the value as its data.
std::string event_text(std::string_view name, const Json& value);

class EventStream final : public StreamedBody {
  public:
    // Runs on the engine thread; nullopt when all went well.
    using Work = std::function<std::optional<HttpReply>(EventStream& events)>;

    // stopping: of the server; stops the work too.
    EventStream(EngineQueue::Place place, const std::atomic<bool>& stopping)
        : place_(std::move(place)), stopping_(stopping) {}

    ~EventStream() override;

    // Begins the work; once.
    void start(Work work, Order order);
    // Waits for the first event; the refusal where the work ended before it.
    std::optional<HttpReply> refusal();
    bool write_to(const Write& write) override;

    void send(std::string event);

    // Whether the client hung up or the server stops.
    const std::atomic<bool>& cancelled() const { return cancelled_; }

  private:
    // What was sent since, or a comment where nothing comes for a while; nullopt at the end.
    std::optional<std::string> next();
    void wait_a_while() MC_REQUIRES(mutex_);
    void end(std::optional<HttpReply> refusal);

    EngineQueue::Place place_;
    const std::atomic<bool>& stopping_;
    std::atomic<bool> cancelled_ = false;
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::string> events_ MC_GUARDED_BY(mutex_);
    std::optional<HttpReply> refusal_ MC_GUARDED_BY(mutex_);
    bool begun_ MC_GUARDED_BY(mutex_) = false;  // an event was sent
    bool ended_ MC_GUARDED_BY(mutex_) = false;
};

// A reply of events.
HttpReply stream_reply(std::unique_ptr<StreamedBody> events);

// Starts the work and gives its events as a reply; or its refusal.
HttpReply event_reply(EngineQueue::Place place, const std::atomic<bool>& stopping,
                      EventStream::Work work, Order order);

}  // namespace mc::serve
