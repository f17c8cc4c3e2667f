// SPDX-License-Identifier: Apache-2.0
// recall as server-sent events, for a client that accepts them: `evidence` is the reply without its
// answer, `delta` a piece of the answer's text as it is written, `reply` the reply that comes
// without events, `error` a problem in its place. Threads: the engine's. Errors: problems.
#pragma once

#include <optional>

#include "serve/http/event_stream.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

// Whether a request's Accept header asks for events.
bool accepts_events(const HttpRequest& request);

// The work of a stream. Gives back a refusal where it did not come to its end.
std::optional<HttpReply> stream_recall(MemoryPort& memory, const Json& arguments,
                                       EventStream& events);

}  // namespace mc::serve
