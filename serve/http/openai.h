// SPDX-License-Identifier: Apache-2.0
// OpenAI's chat completions and embeddings over the memory: a client that has a base URL to set
// gains a memory by setting it.
//
// The last user message is a question to the memory, and the base model's answer from its window is
// the completion. With `user` the message and the answer become messages of that session, so that
// what was said is known later; an answer whose client hung up is not kept, nor is its question.
// Other messages, and settings of sampling, are not used. With `stream` the answer comes as it is
// written, and is in all the answer that comes without. Pure but for the memory that is asked.
// Threads: the request's; of stream_chat() the engine's. Errors: problems that also hold OpenAI's
// `error`.
#pragma once

#include <cstdint>
#include <string>

#include "serve/http/event_stream.h"
#include "serve/http/http_message.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

inline constexpr std::string_view kModelName = "megacontext";

struct ChatRequest {
    std::string question;
    std::string session;  // empty: nothing is kept
    bool stream = false;
    bool with_usage = false;  // in a stream
};

Result<ChatRequest> read_chat(const std::string& body);

HttpReply complete_chat(MemoryPort& memory, const ChatRequest& request, std::int64_t now_us,
                        const std::atomic<bool>& cancelled);
// The work of a stream. Gives back a refusal where it did not come to its end.
std::optional<HttpReply> stream_chat(MemoryPort& memory, const ChatRequest& request,
                                     std::int64_t now_us, EventStream& events);
HttpReply make_embeddings(MemoryPort& memory, const std::string& body);
HttpReply list_models();

// A problem as OpenAI's clients read it.
HttpReply openai_problem(const Error& error);

// What the two take, for the OpenAPI document.
Json chat_schema();
Json embeddings_schema();

}  // namespace mc::serve
