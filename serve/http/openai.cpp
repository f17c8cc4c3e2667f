// SPDX-License-Identifier: Apache-2.0
#include "serve/http/openai.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "serve/mcp/stdio_transport.h"
#include "serve/protocol/schema.h"

namespace mc::serve {
namespace {

constexpr const char* kChatSchema = R"({"type":"object","required":["messages"],"properties":{
"model":{"type":"string"},
"messages":{"type":"array","maxItems":10000,"items":{"type":"object","required":["role"],"properties":{
"role":{"type":"string"},"content":{"type":["string","array","null"],"items":{"type":"object",
"properties":{"type":{"type":"string"},"text":{"type":"string"}}}}}}},
"user":{"type":"string","description":"the session that the conversation is kept in"},
"stream":{"type":["boolean","null"]}}})";

constexpr const char* kEmbeddingsSchema = R"({"type":"object","required":["input"],"properties":{
"model":{"type":"string"},
"input":{"type":["string","array"],"maxItems":256,"items":{"type":"string"}},
"encoding_format":{"enum":["float"]}}})";

HttpReply refused(HttpReply reply) {
    Json body = Json::parse(reply.body);
    body["error"] = {{"message", body["detail"]}, {"type", body["code"]}};
    reply.body = to_line(body) + "\n";
    return reply;
}

HttpReply refused(const Error& error) {
    return refused(problem_of(error));
}

Result<Json> parse_request(const std::string& body, const Json& schema) {
    MC_ASSIGN(Json request, parse_json(body, kMessageBytesMax));
    MC_TRY(check_schema(schema, request, "request"));
    return request;
}

// A message's text: as it is, or in parts.
std::string text_of(const Json& message) {
    const Json content = message.value("content", Json());
    if (content.is_string()) return content.get<std::string>();
    std::string text;
    for (const Json& part : content)
        if (part.value("type", "") == "text") text += part.value("text", "");
    return text;
}

Result<std::string> question_of(const Json& request) {
    const Json& messages = request["messages"];
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
        if ((*message)["role"] != "user") continue;
        std::string text = text_of(*message);
        if (!text.empty()) return text;
    }
    return fail(ErrorCode::kInvalidInput, "messages holds no text of the role user");
}

Result<void> keep(MemoryPort& memory, const std::string& session, const char* role,
                  const std::string& text, const std::atomic<bool>& cancelled) {
    const Json arguments = {{"text", text}, {"session", session}, {"role", role}};
    MC_TRY(call_checked(memory, Verb::kRemember, arguments, cancelled));
    return {};
}

// The question is kept after the memory was asked, or it would find itself.
Result<Json> ask(MemoryPort& memory, const Json& request, const std::atomic<bool>& cancelled) {
    MC_ASSIGN(const std::string question, question_of(request));
    const Json arguments = {{"question", question}, {"answer", true}};
    MC_ASSIGN(Json found, call_checked(memory, Verb::kRecall, arguments, cancelled));
    if (found["answer"].is_null())
        found["answer"] = {{"text", "The memory does not tell."}, {"stop_reason", "unknown"}};
    const std::string session = request.value("user", "");
    if (session.empty()) return found;
    MC_TRY(keep(memory, session, "user", question, cancelled));
    MC_TRY(keep(memory, session, "assistant", found["answer"]["text"], cancelled));
    return found;
}

Json completion_of(const Json& found, std::int64_t now_us) {
    const Json& answer = found["answer"];
    const std::uint64_t read = answer.value("prompt_entries", std::uint64_t{0});
    const std::uint64_t written = answer.value("new_tokens", std::uint64_t{0});
    Json choice = {{"index", 0},
                   {"message", {{"role", "assistant"}, {"content", answer["text"]}}},
                   {"finish_reason", answer["stop_reason"] == "tokens_max" ? "length" : "stop"}};
    return {{"id", "chatcmpl-" + std::to_string(now_us)},
            {"object", "chat.completion"},
            {"created", now_us / 1'000'000},
            {"model", kModelName},
            {"choices", Json::array({std::move(choice)})},
            {"usage",
             {{"prompt_tokens", read},
              {"completion_tokens", written},
              {"total_tokens", read + written}}},
            {"memory", {{"known", found["known"]}, {"evidence", found["evidence"]}}}};
}

// The events of a stream: the whole answer, its end, and OpenAI's mark.
HttpReply stream_of(Json completion) {
    completion["object"] = "chat.completion.chunk";
    Json& choice = completion["choices"][0];
    const Json reason = choice["finish_reason"];
    choice["delta"] = choice["message"];
    choice.erase("message");
    choice["finish_reason"] = nullptr;
    HttpReply reply;
    reply.content_type = "text/event-stream";
    reply.headers.emplace_back("X-Accel-Buffering", "no");
    reply.body = "data: " + to_line(completion) + "\n\n";
    choice["delta"] = Json::object();
    choice["finish_reason"] = reason;
    completion.erase("memory");
    reply.body += "data: " + to_line(completion) + "\n\ndata: [DONE]\n\n";
    return reply;
}

}  // namespace

Json chat_schema() {
    return Json::parse(kChatSchema);
}

Json embeddings_schema() {
    return Json::parse(kEmbeddingsSchema);
}

HttpReply complete_chat(MemoryPort& memory, const std::string& body, std::int64_t now_us,
                        const std::atomic<bool>& cancelled) {
    const auto request = parse_request(body, chat_schema());
    if (!request) return refused(request.error());
    const auto found = ask(memory, *request, cancelled);
    if (!found) return refused(found.error());
    Json completion = completion_of(*found, now_us);
    return request->value("stream", Json(false)) == true ? stream_of(std::move(completion))
                                                         : json_reply(completion);
}

HttpReply make_embeddings(MemoryPort& memory, const std::string& body) {
    const auto request = parse_request(body, embeddings_schema());
    if (!request) return refused(request.error());
    const Json& input = (*request)["input"];
    const auto texts = input.is_string() ? std::vector<std::string>{input.get<std::string>()}
                                         : input.get<std::vector<std::string>>();
    const auto vectors = memory.embed(texts);
    if (!vectors) return refused(vectors.error());
    Json data = Json::array();
    for (std::size_t i = 0; i < vectors->size(); ++i)
        data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", (*vectors)[i]}});
    return json_reply({{"object", "list"}, {"data", std::move(data)}, {"model", kModelName}});
}

HttpReply list_models() {
    Json models = Json::array();
    models.push_back({{"id", kModelName}, {"object", "model"}, {"owned_by", kModelName}});
    return json_reply({{"object", "list"}, {"data", std::move(models)}});
}

}  // namespace mc::serve
