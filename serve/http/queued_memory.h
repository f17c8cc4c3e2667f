// SPDX-License-Identifier: Apache-2.0
// The memory from any thread: every call goes through a place in the engine's queue, questions
// before what is to be remembered, and a document takes a turn there for each of its steps.
// Ownership: borrows both. Threads: one, of the request that has the place. Errors: the memory's.
#pragma once

#include "serve/http/engine_queue.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

// When a call has its turn. arguments: of any form.
Order order_of(Verb verb, const Json& arguments);

class QueuedMemory final : public MemoryPort {
  public:
    QueuedMemory(MemoryPort& memory, EngineQueue::Place& place) : memory_(memory), place_(place) {}

    Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) override;
    Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                         Length length) override;
    Result<std::vector<std::string>> bank_names() override;
    Result<std::vector<Resource>> resources(const std::string& bank, std::size_t count) override;
    Result<Json> documents(const std::string& bank, std::size_t count) override;
    Result<Json> tree(const TreePlace& place) override;
    Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) override;

  private:
    Result<Json> remember_document(const Json& arguments);

    MemoryPort& memory_;
    EngineQueue::Place& place_;
};

}  // namespace mc::serve
