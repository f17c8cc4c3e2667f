// SPDX-License-Identifier: Apache-2.0
// What the server answers, whatever carries it: who may ask, what is asked, in which form.
//
// Everything that touches the memory takes a place in the engine's queue first; without one the
// answer is 429 with Retry-After. Ownership: borrows memory, queue, operations and flag. Threads:
// answer() is safe from many; the memory is called on the engine thread alone. Errors: problems
// (application/problem+json), never an exception.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "serve/http/access_keys.h"
#include "serve/http/engine_queue.h"
#include "serve/http/event_stream.h"
#include "serve/http/http_message.h"
#include "serve/http/operations.h"
#include "serve/http/routes.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

// Longest body of a document (runtime::kFileBytesMax); any other is at most kMessageBytesMax long.
inline constexpr std::size_t kDocumentBytesMax = 16 * 1024 * 1024;

// A document's text or file that is longer is an operation, unless its client says that it waits:
// three seconds' work for two cores, as long as a message may be.
inline constexpr std::size_t kWaitedForBytesMax = 64 * 1024;

struct ServiceOptions {
    std::string version;  // of the program
    std::string bank;     // of a request that names none
    Path keys_file;
    const storage::StoreSeal* seal = nullptr;  // of an encrypted store; borrowed
    bool is_local = true;                      // listens on this machine alone
    std::function<std::string()> metrics_text;
    const Clock* clock = nullptr;  // not null
};

class HttpService {
  public:
    // stopping: ends answers that are being written.
    HttpService(ServiceOptions options, MemoryPort& memory, EngineQueue& queue,
                Operations& operations, const std::atomic<bool>& stopping)
        : options_(std::move(options)),
          memory_(memory),
          queue_(queue),
          operations_(operations),
          stopping_(stopping) {}

    HttpReply answer(const HttpRequest& request);

  private:
    // Of an EventStream, on the memory as the caller may use it.
    using StreamedWork =
        std::function<std::optional<HttpReply>(MemoryPort& memory, EventStream& events)>;

    HttpReply answer_route(const Route& route, const HttpRequest& request);
    HttpReply answer_memory(const Route& route, const HttpRequest& request,
                            std::optional<AccessKey> key);
    // Of a request that takes a document in; nullopt where its client waits for that.
    std::optional<HttpReply> answer_with_operation(const Route& route, const HttpRequest& request,
                                                   const std::optional<AccessKey>& key);
    HttpReply begin_operation(Json arguments, std::optional<AccessKey> key);
    HttpReply answer_operation(const HttpRequest& request, const std::optional<AccessKey>& key);
    HttpReply answer_chat(const HttpRequest& request, EngineQueue::Place& place,
                          std::optional<AccessKey> key);
    HttpReply answer_events(EngineQueue::Place& place, std::optional<AccessKey> key,
                            StreamedWork work, Order order);
    HttpReply answer_endpoint(const Route& route, const HttpRequest& request, MemoryPort& memory);
    HttpReply answer_ready();

    // Says why a request is not to be answered, whatever its path.
    std::optional<HttpReply> refuse_origin(const HttpRequest& request) const;
    // The caller's key; the reply when there is none and one is needed.
    std::optional<HttpReply> identify(const HttpRequest& request,
                                      std::optional<AccessKey>& key) const;

    const ServiceOptions options_;
    MemoryPort& memory_;
    EngineQueue& queue_;
    Operations& operations_;
    const std::atomic<bool>& stopping_;
};

}  // namespace mc::serve
