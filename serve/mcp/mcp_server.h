// SPDX-License-Identifier: Apache-2.0
// The Model Context Protocol over the memory: one message in, at most one out; no transport.
//
// Two eras are spoken. A request that names its protocol revision in params._meta (2026-07-28) is
// served on its own; any other is of an older client (2025-11-25, after `initialize`). Nothing is
// kept between requests, so one server may serve many connections. Tools: the five verbs.
// Resources: documents, as megacontext://document/d7. A wrong argument or a refusal of the memory
// is a tool result with isError, which a model can read and mend; a wrong message is a JSON-RPC
// error. Ownership: borrows the memory. Threads: one at a time. Errors: none but those messages.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "serve/protocol/verbs.h"

namespace mc::serve {

inline constexpr std::string_view kModernRevision = "2026-07-28";
inline constexpr std::string_view kLegacyRevision = "2025-11-25";

// JSON-RPC's own codes, and MCP's.
enum class RpcCode {
    kParseError = -32700,
    kInvalidRequest = -32600,
    kMethodNotFound = -32601,
    kInvalidParams = -32602,
    kInternalError = -32603,
    kHeaderMismatch = -32020,
    kUnsupportedRevision = -32022,
};

// {"jsonrpc":"2.0","id":…,"error":{…}}; id null where the message's could not be read.
Json rpc_error(const Json& id, RpcCode code, const std::string& message);

// The revision that a message names in params._meta; empty when it names none.
std::string named_revision(const Json& message);

// Whether a message asks for a document to be remembered with word of how far it has come.
bool wants_progress(const Json& message);

class McpServer {
  public:
    // version: of the program.
    McpServer(MemoryPort& memory, std::string version)
        : memory_(memory), version_(std::move(version)) {}

    // Takes what is to be sent before the answer.
    using Notify = std::function<void(const Json& notification)>;

    // The answer to one message, of any form; nullopt for a notification and for a response.
    // cancelled: stops an answer of the memory that is being written, and a document that is taken
    // in with word of it to notify.
    std::optional<Json> handle(const Json& message, const std::atomic<bool>& cancelled,
                               const Notify& notify = {});

  private:
    struct Request;

    Json dispatch(const Request& request);
    Json initialize(const Request& request) const;
    Json discover(const Request& request) const;
    Json list_tools(const Request& request) const;
    Json call_tool(const Request& request);
    Result<Json> remember_with_progress(const Request& request, const Json& arguments);
    Json list_resources(const Request& request);
    Json list_resource_templates(const Request& request) const;
    Json read_resource(const Request& request);

    Json complete(const Request& request, Json result) const;
    Json cacheable(const Request& request, Json result, int ttl_ms) const;

    MemoryPort& memory_;
    const std::string version_;
};

}  // namespace mc::serve
