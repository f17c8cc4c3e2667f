// SPDX-License-Identifier: Apache-2.0
#include "serve/http/recall_stream.h"

#include <nlohmann/json.hpp>

namespace mc::serve {

bool accepts_events(const HttpRequest& request) {
    return request.header("Accept").find("text/event-stream") != std::string::npos;
}

std::optional<HttpReply> stream_recall(MemoryPort& memory, const Json& arguments,
                                       EventStream& events) {
    Listener listener{events.cancelled()};
    listener.on_found = [&](const Json& found) { events.send(event_text("evidence", found)); };
    listener.on_text = [&](std::string_view text) {
        events.send(event_text("delta", {{"text", text}}));
    };
    const auto found = call_checked(memory, Verb::kRecall, arguments, listener);
    if (!found) return problem_of(found.error());
    events.send(event_text("reply", *found));
    return std::nullopt;
}

}  // namespace mc::serve
