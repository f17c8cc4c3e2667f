// SPDX-License-Identifier: Apache-2.0
#include "serve/http/event_stream.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace mc::serve {
namespace {

// A hang-up is noticed by the second write after it: two of these at most while the model reads.
constexpr std::chrono::milliseconds kQuiet{500};

// What a client of server-sent events passes over.
constexpr std::string_view kComment = ":\n\n";

}  // namespace

std::string event_text(std::string_view name, const Json& value) {
    std::string text;
    if (!name.empty()) text = "event: " + std::string(name) + "\n";
    return text + "data: " + to_line(value) + "\n\n";
}

EventStream::~EventStream() {
    cancelled_ = true;
    place_.wait();
}

void EventStream::start(Work work, Order order) {
    place_.start([this, work = std::move(work)] { end(work(*this)); }, order);
}

void EventStream::end(std::optional<HttpReply> refusal) {
    const ScopedLock lock(mutex_);
    if (refusal && begun_)
        events_.push_back(event_text("error", Json::parse(refusal->body)));
    else
        refusal_ = std::move(refusal);
    ended_ = true;
    changed_.notify_all();
}

void EventStream::send(std::string event) {
    const ScopedLock lock(mutex_);
    events_.push_back(std::move(event));
    begun_ = true;
    changed_.notify_all();
}

// By the system's clock: ThreadSanitizer knows no other wait with an end.
void EventStream::wait_a_while() {
    changed_.wait_until(mutex_, std::chrono::system_clock::now() + kQuiet);
    if (stopping_) cancelled_ = true;
}

std::optional<HttpReply> EventStream::refusal() {
    const ScopedLock lock(mutex_);
    while (!begun_ && !ended_) wait_a_while();
    return std::exchange(refusal_, std::nullopt);
}

std::optional<std::string> EventStream::next() {
    const ScopedLock lock(mutex_);
    if (events_.empty() && !ended_) wait_a_while();
    if (events_.empty()) return ended_ ? std::nullopt : std::optional<std::string>(kComment);
    std::string all;
    for (; !events_.empty(); events_.pop_front()) all += events_.front();
    return all;
}

bool EventStream::write_to(const Write& write) {
    while (const auto bytes = next())
        if (!write(*bytes)) return false;
    return true;
}

HttpReply stream_reply(std::unique_ptr<StreamedBody> events) {
    HttpReply reply;
    reply.content_type = "text/event-stream";
    reply.headers.emplace_back("X-Accel-Buffering", "no");
    reply.stream = std::move(events);
    return reply;
}

HttpReply event_reply(EngineQueue::Place place, const std::atomic<bool>& stopping,
                      EventStream::Work work, Order order) {
    auto events = std::make_unique<EventStream>(std::move(place), stopping);
    events->start(std::move(work), order);
    if (auto refusal = events->refusal()) return std::move(*refusal);
    return stream_reply(std::move(events));
}

}  // namespace mc::serve
