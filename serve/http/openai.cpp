// SPDX-License-Identifier: Apache-2.0
#include "serve/http/openai.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/check.h"
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
"stream":{"type":["boolean","null"]},
"stream_options":{"type":["object","null"],"properties":{"include_usage":{"type":"boolean"}}}}})";

constexpr const char* kEmbeddingsSchema = R"({"type":"object","required":["input"],"properties":{
"model":{"type":"string"},
"input":{"type":["string","array"],"maxItems":256,"items":{"type":"string"}},
"encoding_format":{"enum":["float"]}}})";

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
    MC_TRY(call_checked(memory, Verb::kRemember, arguments, {cancelled}));
    return {};
}

Result<Json> find_answer(MemoryPort& memory, const ChatRequest& request, const Listener& listener) {
    const Json arguments = {{"question", request.question}, {"answer", true}};
    MC_ASSIGN(Json found, call_checked(memory, Verb::kRecall, arguments, listener));
    if (found["answer"].is_null())
        found["answer"] = {{"text", "The memory does not tell."}, {"stop_reason", "unknown"}};
    return found;
}

// After the memory was asked, or the question would find itself.
Result<void> keep_turn(MemoryPort& memory, const ChatRequest& request, const Json& found,
                       const std::atomic<bool>& cancelled) {
    if (request.session.empty()) return {};
    MC_TRY(keep(memory, request.session, "user", request.question, cancelled));
    return keep(memory, request.session, "assistant", found["answer"]["text"], cancelled);
}

Json usage_of(const Json& answer) {
    const std::uint64_t read = answer.value("prompt_entries", std::uint64_t{0});
    const std::uint64_t written = answer.value("new_tokens", std::uint64_t{0});
    return {
        {"prompt_tokens", read}, {"completion_tokens", written}, {"total_tokens", read + written}};
}

std::string_view finish_reason(const Json& answer) {
    return answer["stop_reason"] == "tokens_max" ? "length" : "stop";
}

Json memory_of(const Json& found) {
    return {{"known", found["known"]}, {"evidence", found["evidence"]}};
}

// What every form of a completion begins with.
Json head_of(std::string_view object, std::int64_t now_us) {
    return {{"id", "chatcmpl-" + std::to_string(now_us)},
            {"object", object},
            {"created", now_us / 1'000'000},
            {"model", kModelName}};
}

Json completion_of(const Json& found, std::int64_t now_us) {
    const Json& answer = found["answer"];
    Json completion = head_of("chat.completion", now_us);
    Json choice = {{"index", 0},
                   {"message", {{"role", "assistant"}, {"content", answer["text"]}}},
                   {"finish_reason", finish_reason(answer)}};
    completion["choices"] = Json::array({std::move(choice)});
    completion["usage"] = usage_of(answer);
    completion["memory"] = memory_of(found);
    return completion;
}

// The chunks of one streamed completion.
class ChunkWriter {
  public:
    ChunkWriter(const ChatRequest& request, std::int64_t now_us, EventStream& events)
        : head_(head_of("chat.completion.chunk", now_us)), events_(events) {
        if (request.with_usage) head_["usage"] = nullptr;
    }

    void begin(const Json& found) {
        if (std::exchange(begun_, true)) return;
        Json chunk = chunk_of({{"role", "assistant"}, {"content", ""}}, nullptr);
        chunk["memory"] = memory_of(found);
        events_.send(event_text("", chunk));
    }

    void add(std::string_view text) {
        if (text.empty()) return;
        sent_ += text;
        events_.send(event_text("", chunk_of({{"content", text}}, nullptr)));
    }

    void end(const Json& answer) {
        const auto& text = answer["text"].get_ref<const std::string&>();
        MC_CHECK(text.starts_with(sent_), "what was sent begins the answer");
        add(text.substr(sent_.size()));
        events_.send(event_text("", chunk_of(Json::object(), finish_reason(answer))));
        if (head_.contains("usage")) {
            Json chunk = head_;
            chunk["choices"] = Json::array();
            chunk["usage"] = usage_of(answer);
            events_.send(event_text("", chunk));
        }
        events_.send("data: [DONE]\n\n");
    }

  private:
    Json chunk_of(Json delta, const Json& reason) const {
        Json chunk = head_;
        Json choice = {{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", reason}};
        chunk["choices"] = Json::array({std::move(choice)});
        return chunk;
    }

    Json head_;
    EventStream& events_;
    std::string sent_;
    bool begun_ = false;
};

}  // namespace

Json chat_schema() {
    return Json::parse(kChatSchema);
}

Json embeddings_schema() {
    return Json::parse(kEmbeddingsSchema);
}

HttpReply openai_problem(const Error& error) {
    HttpReply reply = problem_of(error);
    Json body = Json::parse(reply.body);
    body["error"] = {{"message", body["detail"]}, {"type", body["code"]}};
    reply.body = to_line(body) + "\n";
    return reply;
}

Result<ChatRequest> read_chat(const std::string& body) {
    MC_ASSIGN(const Json request, parse_request(body, chat_schema()));
    ChatRequest chat;
    MC_ASSIGN(chat.question, question_of(request));
    chat.session = request.value("user", "");
    chat.stream = request.value("stream", Json(false)) == true;
    const Json options = request.value("stream_options", Json());
    chat.with_usage = options.is_object() && options.value("include_usage", false);
    return chat;
}

HttpReply complete_chat(MemoryPort& memory, const ChatRequest& request, std::int64_t now_us,
                        const std::atomic<bool>& cancelled) {
    const auto found = find_answer(memory, request, {cancelled});
    if (!found) return openai_problem(found.error());
    const auto kept = keep_turn(memory, request, *found, cancelled);
    if (!kept) return openai_problem(kept.error());
    return json_reply(completion_of(*found, now_us));
}

std::optional<HttpReply> stream_chat(MemoryPort& memory, const ChatRequest& request,
                                     std::int64_t now_us, EventStream& events) {
    ChunkWriter chunks(request, now_us, events);
    Listener listener{events.cancelled()};
    listener.on_found = [&](const Json& found) { chunks.begin(found); };
    listener.on_text = [&](std::string_view text) { chunks.add(text); };
    const auto found = find_answer(memory, request, listener);
    if (!found) return openai_problem(found.error());
    if (events.cancelled())
        return openai_problem({ErrorCode::kCancelled, "the answer was stopped, and is not kept"});
    const auto kept = keep_turn(memory, request, *found, events.cancelled());
    if (!kept) return openai_problem(kept.error());
    chunks.begin(*found);
    chunks.end((*found)["answer"]);
    return std::nullopt;
}

HttpReply make_embeddings(MemoryPort& memory, const std::string& body) {
    const auto request = parse_request(body, embeddings_schema());
    if (!request) return openai_problem(request.error());
    const Json& input = (*request)["input"];
    const auto texts = input.is_string() ? std::vector<std::string>{input.get<std::string>()}
                                         : input.get<std::vector<std::string>>();
    const auto vectors = memory.embed(texts);
    if (!vectors) return openai_problem(vectors.error());
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
