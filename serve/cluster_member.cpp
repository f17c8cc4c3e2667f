// SPDX-License-Identifier: Apache-2.0
#include "serve/cluster_member.h"

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/bank_log.h"
#include "cluster/streams.h"
#include "cluster/work_queue.h"

namespace mc::serve {
namespace {

// How long whoever writes waits for its own entry to come back.
constexpr std::chrono::seconds kOwnEntry(20);

// Errors that the same entry meets in every store: it is passed over, in all of them.
bool is_of_the_entry(ErrorCode code) {
    return code == ErrorCode::kInvalidInput || code == ErrorCode::kUsage ||
           code == ErrorCode::kCorruption;
}

// A file that holds a batch while it is applied.
class BatchFile {
  public:
    static Result<BatchFile> make(const Path& store, std::string_view content) {
        BatchFile file(store / ("batch-" + cluster::new_id()));
        MC_TRY(replace_file(file.path_, std::as_bytes(std::span(content))));
        return file;
    }

    explicit BatchFile(Path path) : path_(std::move(path)) {}

    BatchFile(BatchFile&& other) noexcept : path_(std::exchange(other.path_, Path())) {}

    ~BatchFile() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove(path_, ignored);
    }

    const Path& path() const { return path_; }

  private:
    Path path_;
};

}  // namespace

Result<std::unique_ptr<ClusterMember>> ClusterMember::open(const ClusterOptions& options,
                                                           runtime::Memory& memory,
                                                           MemoryPort& calls) {
    MC_ASSIGN(auto link, cluster::Link::open(options.link));
    std::unique_ptr<ClusterMember> member(new ClusterMember(std::move(link), memory, calls));
    MC_ASSIGN(const auto log, cluster::stream_state(*member->link_, cluster::kLogStream));
    member->log_created_ns_ = log.created_ns;
    for (const std::string& bank : options.banks) {
        MC_ASSIGN(const LogPosition reached, memory.log_position(bank));
        if (reached.log_created_ns != 0 && reached.log_created_ns != log.created_ns)
            return fail(ErrorCode::kInvalidInput,
                        "bank \"" + bank +
                            "\" of this store follows the log of another cluster; "
                            "serve it from another --store");
        member->reached_[bank] = reached.sequence;
    }
    return member;
}

Result<void> ClusterMember::follow(const std::string& url, const std::function<void()>& wake) {
    // Two servers may say the same of where they are.
    owner_ = url + " (" + cluster::new_id().substr(0, 8) + ")";
    for (const auto& [bank, reached] : reached_) {
        MC_ASSIGN(auto lease, cluster::BankLease::open(*link_, bank, owner_));
        followers_[bank] =
            std::make_unique<BankFollower>(*link_, std::move(lease), bank, reached, wake);
    }
    return {};
}

Result<void> ClusterMember::may_answer(const std::string& bank) const {
    if (!has(bank)) return {};
    const auto found = followers_.find(bank);
    if (found != followers_.end() && found->second->owned()) return {};
    const std::string owner = found != followers_.end() ? found->second->owner() : "";
    if (owner.empty() || owner == owner_)
        return fail(ErrorCode::kLocked,
                    "no server has bank \"" + bank + "\" now; ask again in some seconds");
    return fail(ErrorCode::kLocked, "bank \"" + bank + "\" is with the server at " + owner);
}

bool ClusterMember::step() {
    for (const auto& [bank, follower] : followers_) {
        auto next = follower->pop(std::chrono::milliseconds(0));
        if (!next) continue;
        const auto applied = apply(*follower, *next);
        if (applied) return true;
        follower->put_back(std::move(*next), applied.error().to_string());
    }
    return false;
}

Result<ClusterMember::Applied> ClusterMember::apply(BankFollower& follower,
                                                    const BankFollower::Fetched& next) {
    std::uint64_t& reached = reached_[follower.bank()];
    Applied applied{Json()};
    if (next.sequence <= reached) return applied;  // fetched twice
    if (next.entry.kind == "batch") {
        MC_TRY(apply_batch(follower, next));
    } else {
        MC_ASSIGN(applied, apply_call(follower, next));
    }
    reached = next.sequence;
    return applied;
}

Result<void> ClusterMember::apply_batch(BankFollower& follower, const BankFollower::Fetched& next) {
    const LogPosition position{log_created_ns_, next.sequence};
    MC_ASSIGN(const BatchFile file,
              BatchFile::make(memory_.engine().store().directory(), next.content));
    MC_ASSIGN(const auto applied, memory_.apply_batch(follower.bank(), file.path(), position));
    if (!applied.refused) return {};
    return cluster::record_failure(
        *link_, {next.entry.id, follower.bank(), next.entry.name, applied.refused->to_string(),
                 std::string(error_code_name(applied.refused->code())), owner_, 1});
}

Result<ClusterMember::Applied> ClusterMember::apply_call(BankFollower& follower,
                                                         const BankFollower::Fetched& next) {
    const LogPosition position{log_created_ns_, next.sequence};
    const auto verb = find_verb(next.entry.name);
    const Json arguments = Json::parse(next.content, nullptr, false);
    Applied applied{fail(ErrorCode::kCorruption, "an entry of the log that is no call")};
    const std::atomic<bool> never = false;
    if (verb && arguments.is_object())
        applied.answer = call_checked(calls_, *verb, arguments, {never});
    if (!applied.answer && !is_of_the_entry(applied.answer.error().code()))
        return fail(applied.answer.error());
    MC_TRY(memory_.set_log_position(follower.bank(), position));
    return applied;
}

Result<Json> ClusterMember::apply_until(BankFollower& follower, std::uint64_t sequence,
                                        const std::string& id) {
    const auto end = std::chrono::steady_clock::now() + kOwnEntry;
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        auto next = follower.pop(std::max(left, std::chrono::milliseconds(0)));
        if (!next)
            return fail(ErrorCode::kIo, "it is in the log of bank \"" + follower.bank() +
                                            "\" and not applied yet: " + follower.fault());
        auto applied = apply(follower, *next);
        if (!applied) {
            const Error error = applied.error();
            follower.put_back(std::move(*next), error.to_string());
            return fail(error);
        }
        if (next->entry.id == id) return std::move(applied->answer);
        if (next->sequence >= sequence)
            return fail(ErrorCode::kCorruption, "an entry of the log is missing");
    }
}

Result<Json> ClusterMember::write(const std::string& bank, Verb verb, Json arguments) {
    MC_TRY(may_answer(bank));
    BankFollower& follower = *followers_.at(bank);
    arguments["bank"] = bank;
    const std::string id = cluster::new_id();
    // Applied again after a kill between its commit and the log's position, it is the same message.
    if (verb == Verb::kRemember && arguments.contains("session") &&
        !arguments.contains("idempotency_key"))
        arguments["idempotency_key"] = id;
    MC_ASSIGN(
        const auto added,
        cluster::append_entry(*link_, {id, bank, "call", std::string(verb_info(verb).name), {}},
                              arguments.dump()));
    return apply_until(follower, added.sequence, id);
}

}  // namespace mc::serve
