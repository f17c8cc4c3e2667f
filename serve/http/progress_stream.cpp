// SPDX-License-Identifier: Apache-2.0
#include "serve/http/progress_stream.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "serve/http/event_stream.h"
#include "serve/mcp/mcp_server.h"

namespace mc::serve {

ProgressStream::ProgressStream(EngineQueue::Place place, MemoryPort& memory,
                               std::optional<AccessKey> key, std::string bank, std::string version,
                               Json message, const std::atomic<bool>& stopping)
    : place_(std::move(place)),
      queued_(memory, place_),
      scoped_(queued_, std::move(key), std::move(bank)),
      version_(std::move(version)),
      message_(std::make_unique<const Json>(std::move(message))),
      stopping_(stopping) {}

ProgressStream::~ProgressStream() = default;

bool ProgressStream::write_to(const Write& write) {
    McpServer server(scoped_, version_);
    std::atomic<bool> cancelled = false;
    bool is_heard = true;
    const auto notify = [&](const Json& notification) {
        is_heard = is_heard && write(event_text("message", notification));
        cancelled = !is_heard || stopping_;
    };
    const auto answer = server.handle(*message_, cancelled, notify);
    return is_heard && (!answer || write(event_text("message", *answer)));
}

}  // namespace mc::serve
