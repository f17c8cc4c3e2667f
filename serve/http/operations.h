// SPDX-License-Identifier: Apache-2.0
// Documents that are taken in after their request was answered: each is an operation, with a state
// to ask for.
//
// add() returns once the request lies in a file of the store's folder, synced, so that a kill at
// any instant afterwards loses nothing: the next server goes on from the last commit of the
// document. One operation is done at a time, in the order in which they came, a step at a time on
// the engine thread (serve/http/chores.h), between other requests. A cancelled one ends between
// two steps; what was committed stays. The newest kOperationsKept that ended are known, also to
// later servers. Ownership: borrows clock and memory; owns the folder's files. Threads: step() is
// the engine's, the rest is safe from any. Errors: kOutOfSpace and kIo of the folder; kCorruption
// for a file there that is no operation.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/files.h"
#include "core/mutex.h"
#include "core/result.h"
#include "serve/http/engine_queue.h"
#include "serve/protocol/verbs.h"
#include "storage/seal/store_seal.h"

namespace mc::serve {

inline constexpr std::size_t kOperationsKept = 100;
// More are refused: at a minute each the last of them waits for half an hour.
inline constexpr std::size_t kOperationsWaiting = 32;

struct Operation {
    enum class State { kWaiting, kRunning, kCancelling, kDone, kFailed, kCancelled };

    std::string id;    // 128 random bits in hexadecimal digits: who knows it was told
    std::string bank;  // of the document
    State state = State::kWaiting;
    std::int64_t created_us = 0;
    std::int64_t ended_us = 0;  // 0 before
    Progress progress;          // of this process
    std::string result;         // of kDone, as JSON: what remember gives
    std::string problem;        // of kFailed and kCancelled, as JSON: RFC 9457

    bool has_ended() const { return ended_us != 0; }
};

// As the protocol gives it.
Json to_json(const Operation& operation);

class Operations {
  public:
    // Makes the folder where it is missing, and finds what an earlier server left to do. seal: of
    // an encrypted store, else null; borrowed.
    static Result<std::unique_ptr<Operations>> open(const Path& folder, const Clock& clock,
                                                    MemoryPort& memory,
                                                    const storage::StoreSeal* seal = nullptr);

    // "operations" in the store's folder.
    static Path folder_of(const Path& store) { return store / "operations"; }

    Operations(const Operations&) = delete;
    Operations& operator=(const Operations&) = delete;

    // nullopt while kOperationsWaiting wait. Requires: arguments fit remember's schema and name the
    // bank.
    Result<std::optional<Operation>> add(const Json& arguments);
    std::optional<Operation> find(const std::string& id);
    // Asks an operation to end. An ended one stays as it is.
    std::optional<Operation> cancel(const std::string& id);

    // False when nothing waits.
    bool step();

  private:
    Operations(Path folder, const Clock& clock, MemoryPort& memory, const storage::StoreSeal* seal)
        : folder_(std::move(folder)), clock_(clock), memory_(memory), seal_(seal) {}

    Result<void> load();

    Path file_of(const std::string& id) const { return folder_ / (id + ".json"); }

    Result<void> save(const Operation& operation, const Json& arguments) const;
    Operation* find_held(const std::string& id) MC_REQUIRES(mutex_);
    // The operation to go on with; nullopt when there is none.
    std::optional<Operation> next();
    Result<void> begin(const std::string& id);
    // Writes how the running operation ended, which takes the request's own bytes away.
    void end(Operation::State state, std::string result, std::string problem);
    void drop_oldest() MC_REQUIRES(mutex_);

    const Path folder_;
    const Clock& clock_;
    MemoryPort& memory_;
    const storage::StoreSeal* const seal_;
    // Of the engine thread: the operation in hand.
    std::string running_;
    std::unique_ptr<LongRemember> work_;

    Mutex mutex_;
    std::deque<Operation> operations_ MC_GUARDED_BY(mutex_);  // by created_us
};

}  // namespace mc::serve
