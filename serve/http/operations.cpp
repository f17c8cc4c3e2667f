// SPDX-License-Identifier: Apache-2.0
#include "serve/http/operations.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/check.h"
#include "core/sync_folder.h"
#include "serve/http/http_message.h"
#include "serve/http/secrets.h"
#include "serve/protocol/schema.h"
#include "storage/seal/store_file.h"

namespace mc::serve {
namespace {

// A document of kDocumentBytesMax as base64, and what stands beside it.
constexpr std::uint64_t kOperationBytesMax = 32 * 1024 * 1024;
constexpr std::size_t kIdDigits = 32;

constexpr std::array<std::string_view, 6> kStates = {"waiting", "running", "cancelling",
                                                     "done",    "failed",  "cancelled"};

constexpr const char* kOperationFileSchema = R"({"type":"object",
"required":["operation","bank","state","created_us","ended_us","arguments","result","error"],
"properties":{"operation":{"type":"string"},"bank":{"type":"string"},"state":{"type":"string"},
"created_us":{"type":"integer"},"ended_us":{"type":"integer"},
"arguments":{"type":["object","null"]},"result":{"type":["object","null"]},
"error":{"type":["object","null"]}}})";

std::string_view name_of_state(Operation::State state) {
    return kStates.at(static_cast<std::size_t>(state));
}

Json parsed_or_null(const std::string& text) {
    return text.empty() ? Json() : Json::parse(text);
}

std::string text_or_none(const Json& value) {
    return value.is_null() ? std::string() : to_line(value);
}

Result<Json> read_operation_file(const storage::StoreSeal* seal, const Path& file) {
    MC_ASSIGN(const std::string content, storage::read_store_file(seal, file, kOperationBytesMax));
    auto json = parse_json(content, kOperationBytesMax);
    if (json && check_schema(Json::parse(kOperationFileSchema), *json, "operation") &&
        std::ranges::find(kStates, (*json)["state"].get<std::string>()) != kStates.end())
        return std::move(*json);
    return fail(ErrorCode::kCorruption, file.string() + " is no operation");
}

// Of a file; one that was being done when its server ended waits again.
Operation operation_of(const Json& json) {
    Operation operation;
    operation.id = json["operation"];
    operation.bank = json["bank"];
    operation.created_us = json["created_us"];
    operation.ended_us = json["ended_us"];
    operation.result = text_or_none(json["result"]);
    operation.problem = text_or_none(json["error"]);
    const auto state = std::ranges::find(kStates, json["state"].get<std::string>());
    if (operation.has_ended())
        operation.state = static_cast<Operation::State>(state - kStates.begin());
    return operation;
}

}  // namespace

Json to_json(const Operation& operation) {
    return {{"operation", operation.id},
            {"state", name_of_state(operation.state)},
            {"created_us", operation.created_us},
            {"ended_us", operation.has_ended() ? Json(operation.ended_us) : Json()},
            {"progress",
             {{"bytes_done", operation.progress.bytes_done},
              {"bytes_total", operation.progress.bytes_total},
              {"tokens_done", operation.progress.tokens_done}}},
            {"result", parsed_or_null(operation.result)},
            {"error", parsed_or_null(operation.problem)}};
}

Result<std::unique_ptr<Operations>> Operations::open(const Path& folder, const Clock& clock,
                                                     MemoryPort& memory,
                                                     const storage::StoreSeal* seal) {
    std::unique_ptr<Operations> operations(new Operations(folder, clock, memory, seal));
    if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return fail(system_error(errno, "cannot make", folder));
    MC_TRY(operations->load());
    return operations;
}

Result<void> Operations::load() {
    const ScopedLock lock(mutex_);
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, failed)) {
        if (entry.path().extension() != ".json") continue;  // a draft that a kill left
        MC_ASSIGN(const Json json, read_operation_file(seal_, entry.path()));
        operations_.push_back(operation_of(json));
    }
    if (failed) return fail(ErrorCode::kIo, "cannot list " + folder_.string());
    std::ranges::sort(operations_, {}, &Operation::created_us);
    return {};
}

Result<void> Operations::save(const Operation& operation, const Json& arguments) const {
    Json json = to_json(operation);
    json["bank"] = operation.bank;
    json["ended_us"] = operation.ended_us;
    json["arguments"] = arguments;
    const std::string content = to_line(json);
    MC_TRY(storage::replace_store_file(seal_, file_of(operation.id), content));
    return sync_folder(folder_);
}

Result<std::optional<Operation>> Operations::add(const Json& arguments) {
    Operation operation;
    MC_ASSIGN(const std::string secret, random_secret());
    operation.id = secret.substr(secret.size() - kIdDigits);
    operation.bank = arguments["bank"];
    operation.created_us = clock_.now_us();
    const ScopedLock lock(mutex_);
    if (std::ranges::count(operations_, Operation::State::kWaiting, &Operation::state) >=
        static_cast<std::ptrdiff_t>(kOperationsWaiting))
        return std::optional<Operation>();
    MC_TRY(save(operation, arguments));
    operations_.push_back(operation);
    drop_oldest();
    return std::optional(operation);
}

Operation* Operations::find_held(const std::string& id) {
    const auto found = std::ranges::find(operations_, id, &Operation::id);
    return found == operations_.end() ? nullptr : &*found;
}

std::optional<Operation> Operations::find(const std::string& id) {
    const ScopedLock lock(mutex_);
    const Operation* const found = find_held(id);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Operation> Operations::cancel(const std::string& id) {
    const ScopedLock lock(mutex_);
    Operation* const found = find_held(id);
    if (found == nullptr) return std::nullopt;
    if (!found->has_ended()) found->state = Operation::State::kCancelling;
    return *found;
}

// One that was cancelled while it waited ends in its turn, too, so that there is one way to end.
std::optional<Operation> Operations::next() {
    const ScopedLock lock(mutex_);
    Operation* found = find_held(running_);
    if (found == nullptr) {
        const auto waiting = std::ranges::find(operations_, false, &Operation::has_ended);
        if (waiting == operations_.end()) return std::nullopt;
        found = &*waiting;
    }
    if (found->state == Operation::State::kWaiting) found->state = Operation::State::kRunning;
    return *found;
}

Result<void> Operations::begin(const std::string& id) {
    MC_ASSIGN(const Json json, read_operation_file(seal_, file_of(id)));
    MC_TRY(check_schema(input_schema(Verb::kRemember), json["arguments"], "remember"));
    MC_ASSIGN(work_, memory_.begin_remember(json["arguments"], Length::kLong));
    return {};
}

bool Operations::step() {
    const auto operation = next();
    if (!operation) return false;
    running_ = operation->id;
    if (operation->state == Operation::State::kCancelling) {
        const std::string why = "it was cancelled; what was taken in until then stays";
        end(Operation::State::kCancelled, "", problem(503, "cancelled", why).body);
        return true;
    }
    if (work_ == nullptr) {
        const auto begun = begin(operation->id);
        if (!begun) end(Operation::State::kFailed, "", problem_of(begun.error()).body);
        return true;
    }
    const auto done = work_->step();
    {
        const ScopedLock lock(mutex_);
        if (Operation* const held = find_held(running_)) held->progress = work_->progress();
    }
    if (!done)
        end(Operation::State::kFailed, "", problem_of(done.error()).body);
    else if (*done)
        end(Operation::State::kDone, to_line(**done), "");
    return true;
}

// Where this cannot be written the request stays, and the next server does it again, which changes
// nothing in the memory.
void Operations::end(Operation::State state, std::string result, std::string problem) {
    work_.reset();
    const ScopedLock lock(mutex_);
    Operation* const operation = find_held(std::exchange(running_, ""));
    MC_CHECK(operation != nullptr, "what runs has not ended");
    operation->state = state;
    operation->ended_us = clock_.now_us();
    operation->result = std::move(result);
    operation->problem = std::move(problem);
    const auto ignored = save(*operation, nullptr);
}

void Operations::drop_oldest() {
    auto ended = std::ranges::count_if(operations_, &Operation::has_ended);
    for (auto at = operations_.begin();
         at != operations_.end() && ended > static_cast<std::ptrdiff_t>(kOperationsKept);) {
        if (!at->has_ended()) {
            ++at;
            continue;
        }
        std::error_code ignored;
        std::filesystem::remove(file_of(at->id), ignored);
        at = operations_.erase(at);
        --ended;
    }
}

}  // namespace mc::serve
