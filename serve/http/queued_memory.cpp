// SPDX-License-Identifier: Apache-2.0
#include "serve/http/queued_memory.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace mc::serve {

// An answer takes a second or more, so it waits with what changes the memory.
Order order_of(Verb verb, const Json& arguments) {
    const bool is_short = !arguments.is_object() || arguments.value("answer", Json()) != true;
    return verb_info(verb).read_only && is_short ? Order::kRead : Order::kInTurn;
}

namespace {

// Each step takes its turn in the queue.
class QueuedRemember final : public LongRemember {
  public:
    QueuedRemember(std::unique_ptr<LongRemember> begun, EngineQueue::Place& place)
        : begun_(std::move(begun)), place_(place) {}

    Result<std::optional<Json>> step() override {
        std::optional<Result<std::optional<Json>>> result;
        place_.run([&] { result.emplace(begun_->step()); });
        return std::move(*result);
    }

    Progress progress() const override { return begun_->progress(); }

  private:
    std::unique_ptr<LongRemember> begun_;
    EngineQueue::Place& place_;
};

}  // namespace

Result<Json> QueuedMemory::call(Verb verb, const Json& arguments, const Listener& listener) {
    if (verb == Verb::kRemember && !arguments.contains("session"))
        return remember_document(arguments);
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.call(verb, arguments, listener)); },
               order_of(verb, arguments));
    return std::move(*result);
}

// Whatever its length: a question that comes meanwhile waits for one step of it.
Result<Json> QueuedMemory::remember_document(const Json& arguments) {
    MC_ASSIGN(const auto work, begin_remember(arguments, Length::kShort));
    while (true) {
        MC_ASSIGN(auto done, work->step());
        if (done) return std::move(*done);
    }
}

Result<std::unique_ptr<LongRemember>> QueuedMemory::begin_remember(const Json& arguments,
                                                                   Length length) {
    std::optional<Result<std::unique_ptr<LongRemember>>> begun;
    place_.run([&] { begun.emplace(memory_.begin_remember(arguments, length)); });
    if (!*begun) return fail(begun->error());
    return std::make_unique<QueuedRemember>(std::move(**begun), place_);
}

Result<std::vector<std::string>> QueuedMemory::bank_names() {
    std::optional<Result<std::vector<std::string>>> result;
    place_.run([&] { result.emplace(memory_.bank_names()); }, Order::kRead);
    return std::move(*result);
}

Result<std::vector<Resource>> QueuedMemory::resources(const std::string& bank, std::size_t count) {
    std::optional<Result<std::vector<Resource>>> result;
    place_.run([&] { result.emplace(memory_.resources(bank, count)); }, Order::kRead);
    return std::move(*result);
}

Result<Json> QueuedMemory::documents(const std::string& bank, std::size_t count) {
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.documents(bank, count)); }, Order::kRead);
    return std::move(*result);
}

Result<Json> QueuedMemory::tree(const TreePlace& place) {
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.tree(place)); }, Order::kRead);
    return std::move(*result);
}

Result<std::vector<std::vector<float>>> QueuedMemory::embed(const std::vector<std::string>& texts) {
    std::optional<Result<std::vector<std::vector<float>>>> result;
    place_.run([&] { result.emplace(memory_.embed(texts)); });
    return std::move(*result);
}

}  // namespace mc::serve
