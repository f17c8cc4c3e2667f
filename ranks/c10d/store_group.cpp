// SPDX-License-Identifier: Apache-2.0
#include "ranks/c10d/store_group.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "ranks/heart.h"

namespace mc::ranks {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

// The store's own limit for one value is 8 MiB.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
// Of libtorch's levels.
constexpr int kFatal = 3;
// How often a rank looks whether what it waits for is there: from the one to the other.
constexpr std::chrono::milliseconds kLookMin(1);
constexpr std::chrono::milliseconds kLookMax(50);

class StoreGroup final : public RankGroup {
  public:
    explicit StoreGroup(const GroupOptions& options) : options_(options) {}

    ~StoreGroup() override { leave(); }

    int rank() const override { return options_.rank; }

    int world() const override { return options_.world; }

    Result<void> join();
    Result<std::vector<std::string>> gather(std::string bytes) override;

  private:
    // The fence of c10d.
    template <class Body>
    Result<void> guard(const char* what, Body&& body) {
        try {
            body();
            return {};
        } catch (const c10::Error& error) {
            return lost(what, error.what_without_backtrace());
        } catch (const std::exception& error) {
            return lost(what, error.what());
        }
    }

    tl::unexpected<Error> lost(const char* what, const std::string& why) const {
        const bool keeps = options_.rank == 0 && !options_.place.is_hosted;
        return fail(ErrorCode::kIo, std::string("rank ") + std::to_string(options_.rank) +
                                        " cannot " + what + " at " + options_.place.host + ":" +
                                        std::to_string(options_.place.port) +
                                        (keeps ? "" : ", where rank 0 or its launcher should be") +
                                        ": " + why.substr(0, why.find('\n')));
    }

    std::string key(const std::string& name, int rank) const {
        return options_.place.prefix + name + "/" + std::to_string(rank);
    }

    void put(const std::string& name, const std::string& bytes);
    void erase(const std::string& name, std::size_t pieces);
    std::string fetch(const std::string& name);
    Result<void> wait_for(const std::string& name, int rank);
    void beat();
    void leave();

    const GroupOptions options_;
    c10::intrusive_ptr<c10d::TCPStore> store_;
    std::uint64_t round_ = 0;
    std::string own_before_;  // name of what this rank brought last, and in how many pieces
    std::size_t pieces_before_ = 0;
    Heart heart_;  // ends before what it uses
};

void StoreGroup::put(const std::string& name, const std::string& bytes) {
    const std::size_t pieces = (bytes.size() + kPieceBytes - 1) / kPieceBytes;
    for (std::size_t i = 0; i < pieces; ++i) {
        const std::size_t begin = i * kPieceBytes;
        const std::size_t end = std::min(bytes.size(), begin + kPieceBytes);
        store_->set(name + "/" + std::to_string(i),
                    Bytes(bytes.data() + begin, bytes.data() + end));
    }
    // Last: who sees this finds the pieces.
    store_->c10d::Store::set(name, std::to_string(pieces));
    own_before_ = name;
    pieces_before_ = pieces;
}

void StoreGroup::erase(const std::string& name, std::size_t pieces) {
    for (std::size_t i = 0; i < pieces; ++i) store_->deleteKey(name + "/" + std::to_string(i));
    store_->deleteKey(name);
}

std::string StoreGroup::fetch(const std::string& name) {
    const std::size_t pieces = std::stoul(store_->get_to_str(name));
    std::string out;
    for (std::size_t i = 0; i < pieces; ++i) {
        const Bytes piece = store_->get(name + "/" + std::to_string(i));
        out.append(piece.begin(), piece.end());
    }
    return out;
}

// Until it is there, the other left or is not heard from.
Result<void> StoreGroup::wait_for(const std::string& name, int rank) {
    const std::chrono::seconds silence(options_.silence_seconds);
    std::string last_beat;
    auto heard = Clock::now();
    auto pause = kLookMin;
    while (true) {
        bool is_there = false;
        bool has_left = false;
        std::string beat_now;
        MC_TRY(guard("reach the other ranks", [&] {
            is_there = store_->check({name});
            if (is_there || pause < kLookMax) return;
            has_left = store_->check({key("left", rank)});
            if (store_->check({key("alive", rank)}))
                beat_now = store_->get_to_str(key("alive", rank));
        }));
        if (is_there) return {};
        const std::string who = "rank " + std::to_string(rank);
        if (has_left)
            return fail(ErrorCode::kIo, who +
                                            " has ended before the work was done; what it printed "
                                            "says why");
        if (beat_now != last_beat || pause < kLookMax) heard = Clock::now();
        last_beat = beat_now;
        if (Clock::now() - heard > silence)
            return fail(ErrorCode::kIo, who + " has not been heard from for " +
                                            std::to_string(options_.silence_seconds) +
                                            " s: its process or its machine is gone");
        std::this_thread::sleep_for(pause);
        pause = std::min(kLookMax, pause * 2);
    }
}

Result<std::vector<std::string>> StoreGroup::gather(std::string bytes) {
    const std::string round = "round" + std::to_string(++round_);
    const std::string before = own_before_;
    const std::size_t pieces = pieces_before_;
    MC_TRY(guard("bring its part", [&] { put(key(round, options_.rank), bytes); }));
    std::vector<std::string> all(static_cast<std::size_t>(options_.world));
    for (int other = 0; other < options_.world; ++other) {
        std::string& into = all[static_cast<std::size_t>(other)];
        if (other == options_.rank) {
            into = std::move(bytes);
            continue;
        }
        MC_TRY(wait_for(key(round, other), other));
        MC_TRY(guard("fetch another's part", [&] { into = fetch(key(round, other)); }));
    }
    // Who is in this round has all of the one before.
    if (!before.empty()) MC_TRY(guard("tidy up", [&] { erase(before, pieces); }));
    return all;
}

void StoreGroup::beat() {
    // What cannot be told here fails where the rank works.
    heart_ = Heart([this, count = 0]() mutable {
        return guard("be heard",
                     [&] {
                         store_->c10d::Store::set(key("alive", options_.rank),
                                                  std::to_string(++count));
                     })
            .has_value();
    });
}

Result<void> StoreGroup::join() {
    // c10d prints every try with the frames that it came from; what comes of them is said here.
    FLAGS_caffe2_log_level = kFatal;
    c10d::TCPStoreOptions options;
    options.port = options_.place.port;
    options.isServer = options_.rank == 0 && !options_.place.is_hosted;
    options.numWorkers.reset();
    options.waitWorkers = false;
    options.timeout = std::chrono::seconds(options_.join_seconds);
    MC_TRY(guard("meet the other ranks", [&] {
        store_ = c10::make_intrusive<c10d::TCPStore>(options_.place.host, options);
    }));
    const std::string world = std::to_string(options_.world);
    std::string agreed = world;
    std::int64_t claims = 0;
    MC_TRY(guard("meet the other ranks", [&] {
        if (options_.rank == 0) store_->c10d::Store::set(key("world", 0), world);
        agreed = store_->get_to_str(key("world", 0));
        if (agreed == world) claims = store_->add(key("joined", options_.rank), 1);
    }));
    if (agreed != world)
        return fail(ErrorCode::kUsage, "rank 0 is one of " + agreed +
                                           " ranks, and this is one of " + world +
                                           "; give all the same --world");
    if (claims != 1)
        return fail(ErrorCode::kUsage, "another process is rank " + std::to_string(options_.rank) +
                                           " too; give each its own --rank");
    beat();
    return guard("meet the other ranks", [&] {
        std::vector<std::string> others;
        for (int other = 0; other < options_.world; ++other) others.push_back(key("joined", other));
        store_->wait(others, options.timeout);
    });
}

// Says goodbye; who keeps the store stays until the others have said it.
void StoreGroup::leave() {
    heart_ = Heart();
    if (!store_) return;
    const auto said = guard(
        "leave", [&] { store_->c10d::Store::set(key("left", options_.rank), std::string("1")); });
    if (!said || options_.rank != 0 || options_.place.is_hosted) return;
    for (int other = 1; other < options_.world; ++other)
        if (!wait_for(key("left", other), other)) return;
}

}  // namespace

Result<std::unique_ptr<RankGroup>> join_group(const GroupOptions& options) {
    if (options.world < 1 || options.rank < 0 || options.rank >= options.world)
        return fail(ErrorCode::kUsage, "rank " + std::to_string(options.rank) + " of " +
                                           std::to_string(options.world) +
                                           ": ranks count from 0 and stay below the world");
    if (options.world == 1) return std::make_unique<LoneRank>();
    auto group = std::make_unique<StoreGroup>(options);
    MC_TRY(group->join());
    return group;
}

}  // namespace mc::ranks
