// SPDX-License-Identifier: Apache-2.0
// MCP's Streamable HTTP transport: one POST is one message, and its reply the answer as JSON, or in
// events where word of its progress comes first (progress_stream.h).
//
// A request of revision 2026-07-28 repeats revision, method and name in headers, so that what
// stands between can route it; they must agree with the body. Pure but for the server that it asks.
// Threads: free. Errors: none but JSON-RPC's.
#pragma once

#include <optional>

#include "serve/http/http_message.h"
#include "serve/mcp/mcp_server.h"

namespace mc::serve {

// The message of a request that is to be answered in events, with word of its progress first: it
// asks for that, and its client accepts them. nullopt for any other, and for a wrong one.
std::optional<Json> progress_message(const HttpRequest& request);

HttpReply answer_mcp(McpServer& server, const HttpRequest& request,
                     const std::atomic<bool>& cancelled);

}  // namespace mc::serve
