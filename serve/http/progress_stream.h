// SPDX-License-Identifier: Apache-2.0
// An MCP answer in events: word of its progress, then itself. The connection's end cancels it.
//
// Works while it is written, on the thread that writes: each step of the document takes a turn in
// the engine's queue, so others are answered in between. Ownership: owns its place in that queue;
// borrows the memory. Threads: one, the request's. Errors: none but JSON-RPC's.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "serve/http/access_keys.h"
#include "serve/http/engine_queue.h"
#include "serve/http/http_message.h"
#include "serve/http/queued_memory.h"
#include "serve/http/scoped_memory.h"

namespace mc::serve {

class ProgressStream final : public StreamedBody {
  public:
    // message: as progress_message() gives it. stopping: of the server; cancels, too.
    ProgressStream(EngineQueue::Place place, MemoryPort& memory, std::optional<AccessKey> key,
                   std::string bank, std::string version, Json message,
                   const std::atomic<bool>& stopping);
    ~ProgressStream() override;

    bool write_to(const Write& write) override;

  private:
    EngineQueue::Place place_;
    QueuedMemory queued_;
    ScopedMemory scoped_;
    const std::string version_;
    const std::unique_ptr<const Json> message_;
    const std::atomic<bool>& stopping_;
};

}  // namespace mc::serve
