// SPDX-License-Identifier: Apache-2.0
#include "reader/http_post.h"

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>

#include "core/mutex.h"

namespace mc::reader {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kConnectSecondsMax = 10;
constexpr std::chrono::milliseconds kBetweenLooks(50);

// Ends a client's waiting when its time is up or nobody waits any more: the library's own limits
// are for each piece of an answer.
class Watch {
  public:
    Watch(httplib::Client& client, const HttpPost& request)
        : client_(client),
          cancelled_(request.cancelled),
          end_(SteadyClock::now() + std::chrono::seconds(request.seconds_max)),
          thread_([this] { look(); }) {}

    ~Watch() {
        {
            const ScopedLock lock(mutex_);
            done_ = true;
            changed_.notify_all();
        }
        thread_.join();
    }

    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    bool is_late() const { return SteadyClock::now() >= end_; }

    bool is_cancelled() const { return cancelled_ != nullptr && cancelled_->load(); }

  private:
    // A stop that comes before the connection stops nothing, so it is repeated.
    void look() {
        const ScopedLock lock(mutex_);
        while (!done_) {
            if (is_late() || is_cancelled()) client_.stop();
            changed_.wait_for(mutex_, kBetweenLooks);
        }
    }

    httplib::Client& client_;
    const std::atomic<bool>* cancelled_;
    const SteadyClock::time_point end_;
    Mutex mutex_;
    std::condition_variable_any changed_;
    bool done_ MC_GUARDED_BY(mutex_) = false;
    std::thread thread_;  // last: it uses all of the above
};

std::string why_none(httplib::Error error) {
    switch (error) {
        case httplib::Error::Connection:
            return "nothing takes connections there; is the server running?";
        case httplib::Error::ConnectionTimeout:
            return "no connection within " + std::to_string(kConnectSecondsMax) + " s";
        case httplib::Error::SSLConnection:
        case httplib::Error::SSLLoadingCerts:
        case httplib::Error::SSLServerVerification:
            return "its certificate cannot be trusted";
        default:
            return "it ended the connection without an answer";
    }
}

Result<HttpAnswer> send(const HttpPost& request) {
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::kIo, "no answer from " + request.origin + ": " + why);
    };
    httplib::Client client(request.origin);
    if (!client.is_valid()) return refuse("that is no address of a server");
    client.set_connection_timeout(kConnectSecondsMax);
    client.set_read_timeout(request.seconds_max);
    client.set_write_timeout(request.seconds_max);
    httplib::Request sent;
    sent.method = "POST";
    sent.path = request.path;
    sent.body = request.body;
    sent.headers.emplace("Content-Type", "application/json");
    sent.headers.emplace("Accept", "application/json");
    if (!request.key.empty()) sent.headers.emplace("Authorization", "Bearer " + request.key);
    HttpAnswer answer;
    bool is_too_long = false;
    sent.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
        is_too_long = answer.body.size() + size > kAnswerBytesMax;
        if (!is_too_long) answer.body.append(data, size);
        return !is_too_long;
    };
    const Watch watch(client, request);
    const auto result = client.send(sent);
    if (is_too_long)
        return refuse("it has more than " + std::to_string(kAnswerBytesMax) + " bytes");
    if (!result && watch.is_cancelled())
        return fail(ErrorCode::kCancelled, "interrupted while " + request.origin + " answered");
    if (!result && watch.is_late())
        return refuse("it took more than " + std::to_string(request.seconds_max) + " s");
    if (!result) return refuse(why_none(result.error()));
    answer.status = result->status;
    return answer;
}

}  // namespace

Result<HttpAnswer> post(const HttpPost& request) {
    try {
        return send(request);
    } catch (const std::exception& fault) {
        return fail(ErrorCode::kIo, "no answer from " + request.origin + ": " + fault.what());
    }
}

}  // namespace mc::reader
