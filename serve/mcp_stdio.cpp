// SPDX-License-Identifier: Apache-2.0
#include "serve/mcp_stdio.h"

#include "serve/mcp/stdio_transport.h"
#include "serve/memory_adapter.h"

namespace mc::serve {

Result<void> serve_mcp_stdio(runtime::Memory& memory, const std::string& version, std::istream& in,
                             std::ostream& out) {
    MemoryAdapter adapter(memory);
    McpServer server(adapter, version);
    return serve_lines(server, in, out, [&memory] { return memory.make_some_gists(); });
}

}  // namespace mc::serve
