// SPDX-License-Identifier: Apache-2.0
#include "serve/bank_follower.h"

#include <algorithm>

#include "cluster/parcel.h"
#include "cluster/streams.h"

namespace mc::serve {
namespace {

using Clock = std::chrono::steady_clock;

// Entries that wait for the engine with their contents.
constexpr std::size_t kAheadMax = 4;
constexpr std::chrono::milliseconds kLook(200);
constexpr std::chrono::milliseconds kRenewMax(1000);
// A reader that had nothing to say for so long is opened anew: its side in the cluster may be gone.
constexpr std::chrono::seconds kReaderRest(5);

}  // namespace

BankFollower::BankFollower(cluster::Link& link, std::unique_ptr<cluster::BankLease> lease,
                           std::string bank, std::uint64_t after, std::function<void()> wake)
    : link_(link),
      bank_(std::move(bank)),
      wake_(std::move(wake)),
      lease_(std::move(lease)),
      popped_(after) {
    keeper_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
    fetcher_ = std::jthread([this](const std::stop_token& stop) { fetch(stop); });
}

BankFollower::~BankFollower() {
    const ScopedLock lock(mutex_);
    for (std::jthread* const thread : {&keeper_, &fetcher_}) thread->request_stop();
    changed_.notify_all();
}

bool BankFollower::owned() const {
    const ScopedLock lock(mutex_);
    return Clock::now() < held_until_;
}

std::string BankFollower::owner() const {
    const ScopedLock lock(mutex_);
    return owner_;
}

std::string BankFollower::fault() const {
    const ScopedLock lock(mutex_);
    return fault_;
}

void BankFollower::note(const std::string& fault) {
    const ScopedLock lock(mutex_);
    fault_ = fault;
}

void BankFollower::pause(const std::stop_token& stop, std::chrono::milliseconds time) const {
    const auto end = Clock::now() + time;
    const ScopedLock lock(mutex_);
    while (!stop.stop_requested() && changed_.wait_until(mutex_, end) != std::cv_status::timeout) {
    }
}

std::optional<BankFollower::Fetched> BankFollower::pop(std::chrono::milliseconds wait) {
    const auto end = Clock::now() + wait;
    const ScopedLock lock(mutex_);
    while (fetched_.empty() || Clock::now() >= held_until_)
        if (Clock::now() >= end || changed_.wait_until(mutex_, end) == std::cv_status::timeout)
            return std::nullopt;
    Fetched next = std::move(fetched_.front());
    fetched_.pop_front();
    popped_ = next.sequence;
    changed_.notify_all();
    return next;
}

void BankFollower::put_back(Fetched fetched, const std::string& fault) {
    const ScopedLock lock(mutex_);
    popped_ = fetched.sequence - 1;
    fetched_.push_front(std::move(fetched));
    fault_ = fault;
}

// Renews the lease, or tries to get it, several times in its time.
void BankFollower::keep(const std::stop_token& stop) {
    const auto third = std::chrono::milliseconds(lease_->lease_seconds() * 1000 / 3);
    while (!stop.stop_requested()) {
        const auto renewed = lease_->renew();
        {
            const ScopedLock lock(mutex_);
            held_until_ = lease_->held_until();
            owner_ = lease_->seen_owner();
            fault_ = renewed ? std::string() : renewed.error().to_string();
        }
        wake_();  // what could not be applied is tried again
        pause(stop, std::min(third, kRenewMax));
    }
}

Result<void> BankFollower::fetch_next(std::unique_ptr<cluster::LogReader>& reader,
                                      const std::stop_token& stop) {
    if (!reader) {
        std::uint64_t after = 0;
        {
            const ScopedLock lock(mutex_);
            fetched_.clear();
            after = popped_;
        }
        MC_ASSIGN(reader, cluster::LogReader::open(link_, bank_, after));
        heard_ = Clock::now();
    }
    MC_ASSIGN(auto next, reader->next(static_cast<int>(kLook.count())));
    if (!next) {
        const ScopedLock lock(mutex_);
        if (fetched_.empty() && Clock::now() > heard_ + kReaderRest) reader.reset();
        return {};
    }
    heard_ = Clock::now();
    MC_ASSIGN(std::string content,
              cluster::get_parcel(link_, cluster::kDataStream, next->entry.content));
    const ScopedLock lock(mutex_);
    while (!stop.stop_requested() && fetched_.size() >= kAheadMax) changed_.wait(mutex_);
    fetched_.push_back({next->sequence, std::move(next->entry), std::move(content)});
    changed_.notify_all();
    return {};
}

void BankFollower::fetch(const std::stop_token& stop) {
    std::unique_ptr<cluster::LogReader> reader;
    while (!stop.stop_requested()) {
        if (!owned()) {
            reader.reset();
            pause(stop, kLook);
            continue;
        }
        const auto done = fetch_next(reader, stop);
        if (done) {
            wake_();
            continue;
        }
        note(done.error().to_string());
        reader.reset();
        pause(stop, kRenewMax);
    }
}

}  // namespace mc::serve
