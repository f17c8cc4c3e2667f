// SPDX-License-Identifier: Apache-2.0
// MCP over a pair of streams: one message a line in, one a line out, after word of its progress
// where that is asked for; nothing else.
//
// A thread of its own reads, so that a cancellation is heard while an answer is being written; the
// caller's thread answers. At the end of the input what was asked is answered, then serve_lines()
// returns. A line that is too long or no JSON gets a JSON-RPC error, and reading goes on.
// Ownership: borrows all. Threads: the caller's, and the reader, which ends with the input.
// Errors: kIo when an answer cannot be written.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>

#include "core/result.h"
#include "serve/mcp/mcp_server.h"

namespace mc::serve {

// Longest message: the longest text that remember takes, written in escapes.
inline constexpr std::size_t kMessageBytesMax = 4 * 1024 * 1024;

// idle: done again and again once no message has come for a quarter of a second, until it says that
// there is nothing to do; may be empty. A message waits until it returns.
Result<void> serve_lines(McpServer& server, std::istream& in, std::ostream& out,
                         const std::function<bool()>& idle = {});

}  // namespace mc::serve
