// SPDX-License-Identifier: Apache-2.0
// OpenAI's chat completions and embeddings over the memory: a client that has a base URL to set
// gains a memory by setting it.
//
// The last user message is a question to the memory, and the base model's answer from its window is
// the completion. With `user` the message and the answer become messages of that session, so that
// what was said is known later. Other messages, and settings of sampling, are not used. With
// `stream` the answer comes as one event. Pure but for the memory that is asked. Threads: the
// request's. Errors: problems that also hold OpenAI's `error`.
#pragma once

#include <cstdint>

#include "serve/http/http_message.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

inline constexpr std::string_view kModelName = "megacontext";

HttpReply complete_chat(MemoryPort& memory, const std::string& body, std::int64_t now_us,
                        const std::atomic<bool>& cancelled);
HttpReply make_embeddings(MemoryPort& memory, const std::string& body);
HttpReply list_models();

// What the two take, for the OpenAPI document.
Json chat_schema();
Json embeddings_schema();

}  // namespace mc::serve
