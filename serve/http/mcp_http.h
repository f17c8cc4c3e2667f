// SPDX-License-Identifier: Apache-2.0
// MCP's Streamable HTTP transport: one POST is one message, and its reply the answer as JSON.
//
// A request of revision 2026-07-28 repeats revision, method and name in headers, so that what
// stands between can route it; they must agree with the body. Pure but for the server that it asks.
// Threads: free. Errors: none but JSON-RPC's.
#pragma once

#include "serve/http/http_message.h"
#include "serve/mcp/mcp_server.h"

namespace mc::serve {

HttpReply answer_mcp(McpServer& server, const HttpRequest& request,
                     const std::atomic<bool>& cancelled);

}  // namespace mc::serve
