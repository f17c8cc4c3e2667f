// SPDX-License-Identifier: Apache-2.0
// `megacontext mcp`: the memory as an MCP server on a pair of streams.
// Ownership: borrows all. Threads: the engine's, and a reader (serve/mcp/stdio_transport.h).
// Errors: kIo when an answer cannot be written.
#pragma once

#include <iosfwd>
#include <string>

#include "core/result.h"
#include "runtime/memory.h"

namespace mc::serve {

Result<void> serve_mcp_stdio(runtime::Memory& memory, const std::string& version, std::istream& in,
                             std::ostream& out);

}  // namespace mc::serve
