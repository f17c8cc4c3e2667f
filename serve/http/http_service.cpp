// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_service.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "serve/http/browse.h"
#include "serve/http/mcp_http.h"
#include "serve/http/openai.h"
#include "serve/http/page.h"
#include "serve/http/progress_stream.h"
#include "serve/http/queued_memory.h"
#include "serve/http/recall_stream.h"
#include "serve/http/scoped_memory.h"
#include "serve/mcp/stdio_transport.h"
#include "serve/protocol/base64.h"
#include "serve/protocol/schema.h"

namespace mc::serve {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kRespondAsync = "respond-async";

// "localhost" of "http://localhost:8080", "localhost:8080" and "localhost".
std::string_view host_of(std::string_view text) {
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos)
        text.remove_prefix(scheme + 3);
    if (text.starts_with('[')) return text.substr(0, text.find(']') + 1);
    return text.substr(0, text.find(':'));
}

bool is_this_machine(std::string_view host) {
    constexpr std::array<std::string_view, 3> kNames = {"localhost", "127.0.0.1", "[::1]"};
    return std::ranges::find(kNames, host) != kNames.end();
}

bool is_json(const std::string& content_type) {
    return content_type.substr(0, content_type.find(';')) == "application/json";
}

HttpReply busy() {
    HttpReply reply = problem(429, "busy", "as many requests wait as are taken; come again");
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

// A path whose end stands for any word: "/v1/operations/{operation}".
bool is_path_of(const Route& route, std::string_view path) {
    const std::size_t begin = route.path.find('{');
    if (begin == std::string_view::npos) return route.path == path;
    return path.size() > begin && path.starts_with(route.path.substr(0, begin)) &&
           path.find('/', begin) == std::string_view::npos;
}

// RFC 7240: what a client prefers, to wait or not to.
bool prefers(const HttpRequest& request, std::string_view what) {
    return request.header("Prefer").find(what) != std::string::npos;
}

// Bytes of the text or the file; 0 where none is given, or no such thing.
std::size_t document_bytes(const Json& arguments) {
    if (!arguments.is_object()) return 0;
    const auto size_of = [&](const char* key) {
        const auto found = arguments.find(key);
        const bool is_text = found != arguments.end() && found->is_string();
        return is_text ? found->get_ref<const std::string&>().size() : std::size_t{0};
    };
    return size_of("text") + size_of("file") / 4 * 3;
}

std::optional<HttpReply> refuse_body(const Route& route, const HttpRequest& request) {
    if (route.endpoint == Endpoint::kDocument || route.method != "POST") return std::nullopt;
    if (!is_json(request.header("Content-Type")))
        return problem(415, "unsupported_media_type", "the body must be application/json");
    if (request.body.size() > kMessageBytesMax)
        return problem(413, "too_large",
                       "a request has at most " + std::to_string(kMessageBytesMax) + " bytes");
    return std::nullopt;
}

// remember with a file: what stands beside it is in the path's query, metadata as metadata.KEY.
Json document_arguments(const HttpRequest& request) {
    constexpr std::string_view kMetadata = "metadata.";
    Json arguments = Json::object();
    Json metadata = Json::object();
    for (const auto& [key, value] : request.query) {
        const bool is_metadata = key.starts_with(kMetadata);
        (is_metadata ? metadata[key.substr(kMetadata.size())] : arguments[key]) = value;
    }
    if (!metadata.empty()) arguments["metadata"] = std::move(metadata);
    arguments["file"] = encode_base64(request.body);
    arguments["media_type"] = request.header("Content-Type");
    return arguments;
}

Result<Json> arguments_of(const Route& route, const HttpRequest& request) {
    if (route.endpoint == Endpoint::kDocument) return document_arguments(request);
    if (request.body.empty()) return Json::object();
    return parse_json(request.body, kMessageBytesMax);
}

HttpReply call_verb(MemoryPort& memory, const Route& route, const HttpRequest& request,
                    const std::atomic<bool>& stopping) {
    const auto arguments = arguments_of(route, request);
    if (!arguments) return problem_of(arguments.error());
    return reply_of(
        call_checked(memory, route.verb.value_or(Verb::kRemember), *arguments, {stopping}));
}

HttpReply forbidden() {
    return problem(403, "forbidden", "this key may not do that, or not in that bank");
}

}  // namespace

// A web page of another site may send requests to this machine, and its own name may be made to
// point here; neither may reach the memory.
std::optional<HttpReply> HttpService::refuse_origin(const HttpRequest& request) const {
    const std::string host = request.header("Host");
    if (options_.is_local && !is_this_machine(host_of(host)))
        return problem(403, "forbidden", "this server answers to localhost alone");
    const std::string origin = request.header("Origin");
    if (!origin.empty() && !is_this_machine(host_of(origin)) && host_of(origin) != host_of(host))
        return problem(403, "forbidden", "requests from other sites are not answered");
    return std::nullopt;
}

std::optional<HttpReply> HttpService::identify(const HttpRequest& request,
                                               std::optional<AccessKey>& key) const {
    const auto keys = AccessKeys::load(options_.keys_file, options_.seal);
    if (!keys) return problem_of(keys.error());
    if (options_.is_local && keys->keys().empty()) return std::nullopt;
    const std::string given = request.header("Authorization");
    if (given.starts_with(kBearer)) key = keys->find(given.substr(kBearer.size()));
    if (key) return std::nullopt;
    HttpReply reply = problem(401, "unauthorized", "a key is needed: Authorization: Bearer KEY");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
}

HttpReply HttpService::answer(const HttpRequest& request) {
    std::string allowed;
    for (const Route& route : routes()) {
        if (!is_path_of(route, request.path)) continue;
        if (route.method == request.method) return answer_route(route, request);
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    if (allowed.empty()) return problem(404, "not_found", "there is no such path");
    HttpReply reply = problem(405, "method_not_allowed", "this path takes another method");
    reply.headers.emplace_back("Allow", allowed);
    return reply;
}

HttpReply HttpService::answer_route(const Route& route, const HttpRequest& request) {
    if (auto refusal = refuse_origin(request)) return std::move(*refusal);
    std::optional<AccessKey> key;
    if (!route.is_open)
        if (auto refusal = identify(request, key)) return std::move(*refusal);
    if (auto refusal = refuse_body(route, request)) return std::move(*refusal);
    switch (route.endpoint) {
        case Endpoint::kLive:
            return json_reply({{"live", true}});
        case Endpoint::kReady:
            return answer_ready();
        case Endpoint::kOpenApi:
            return json_reply(open_api(options_.version));
        case Endpoint::kMetrics:
            return {200, std::string(route.content_type), options_.metrics_text(), {}};
        case Endpoint::kModels:
            return list_models();
        case Endpoint::kPage:
            return page();
        case Endpoint::kOperation:
            return answer_operation(request, key);
        case Endpoint::kVerb:
        case Endpoint::kDocument:
        case Endpoint::kDocuments:
        case Endpoint::kTree:
        case Endpoint::kMcp:
        case Endpoint::kChat:
        case Endpoint::kEmbeddings:
            return answer_memory(route, request, std::move(key));
    }
    return problem(404, "not_found", "there is no such path");
}

HttpReply HttpService::answer_memory(const Route& route, const HttpRequest& request,
                                     std::optional<AccessKey> key) {
    if (route.endpoint == Endpoint::kDocument || route.verb == Verb::kRemember)
        if (auto reply = answer_with_operation(route, request, key)) return std::move(*reply);
    auto place = queue_.admit();
    if (!place) return busy();
    if (route.endpoint == Endpoint::kMcp)
        if (auto message = progress_message(request))
            return stream_reply(std::make_unique<ProgressStream>(
                std::move(*place), memory_, std::move(key), options_.bank, options_.version,
                std::move(*message), stopping_));
    if (route.endpoint == Endpoint::kChat) return answer_chat(request, *place, std::move(key));
    if (route.verb == Verb::kRecall && accepts_events(request)) {
        auto arguments = arguments_of(route, request);
        if (!arguments) return problem_of(arguments.error());
        const Order order = order_of(Verb::kRecall, *arguments);
        return answer_events(
            *place, std::move(key),
            [arguments = std::move(*arguments)](MemoryPort& memory, EventStream& events) {
                return stream_recall(memory, arguments, events);
            },
            order);
    }
    QueuedMemory queued(memory_, *place);
    ScopedMemory scoped(queued, std::move(key), options_.bank);
    HttpReply reply = answer_endpoint(route, request, scoped);
    if (!scoped.was_forbidden() || route.endpoint == Endpoint::kMcp) return reply;
    return forbidden();
}

// A message is taken in at once, whatever is preferred; a long document is not, unless its client
// says how long it waits.
std::optional<HttpReply> HttpService::answer_with_operation(const Route& route,
                                                            const HttpRequest& request,
                                                            const std::optional<AccessKey>& key) {
    const bool is_asked_for = prefers(request, kRespondAsync);
    if (!is_asked_for && (request.body.size() <= kWaitedForBytesMax || prefers(request, "wait=")))
        return std::nullopt;
    const auto arguments = arguments_of(route, request);
    if (!arguments) return problem_of(arguments.error());
    if (arguments->is_object() && arguments->contains("session")) return std::nullopt;
    if (!is_asked_for && document_bytes(*arguments) <= kWaitedForBytesMax) return std::nullopt;
    HttpReply reply = begin_operation(*arguments, key);
    if (is_asked_for && reply.status == 202)
        reply.headers.emplace_back("Preference-Applied", kRespondAsync);
    return reply;
}

HttpReply HttpService::begin_operation(Json arguments, std::optional<AccessKey> key) {
    const auto fits = check_schema(input_schema(Verb::kRemember), arguments, "remember");
    if (!fits) return problem_of(fits.error());
    ScopedMemory scoped(memory_, std::move(key), options_.bank);
    const auto bank = scoped.allowed_bank(arguments.value("bank", std::string()), Verb::kRemember);
    if (!bank) return forbidden();
    arguments["bank"] = *bank;
    const auto added = operations_.add(arguments);
    if (!added) return problem_of(added.error());
    if (!*added) return busy();
    queue_.wake();
    HttpReply reply = json_reply(to_json(**added));
    reply.status = 202;
    reply.headers.emplace_back("Location", std::string(kOperationsPath) + (*added)->id);
    return reply;
}

// Whose key may not remember in its bank is told that there is no such operation.
HttpReply HttpService::answer_operation(const HttpRequest& request,
                                        const std::optional<AccessKey>& key) {
    const std::string id = request.path.substr(kOperationsPath.size());
    auto found = operations_.find(id);
    if (!found || (key && !(key->may("remember") && key->may_see(found->bank))))
        return problem(404, "no_such_operation", "there is no such operation");
    if (request.method == "DELETE") {
        found = operations_.cancel(id);
        queue_.wake();
    }
    return found ? json_reply(to_json(*found))
                 : problem(404, "no_such_operation", "there is no such operation");
}

HttpReply HttpService::answer_chat(const HttpRequest& request, EngineQueue::Place& place,
                                   std::optional<AccessKey> key) {
    auto chat = read_chat(request.body);
    if (!chat) return openai_problem(chat.error());
    const std::int64_t now_us = options_.clock->now_us();
    if (chat->stream)
        return answer_events(
            place, std::move(key),
            [chat = std::move(*chat), now_us](MemoryPort& memory, EventStream& events) {
                return stream_chat(memory, chat, now_us, events);
            },
            Order::kInTurn);
    QueuedMemory queued(memory_, place);
    ScopedMemory scoped(queued, std::move(key), options_.bank);
    HttpReply reply = complete_chat(scoped, *chat, now_us, stopping_);
    return scoped.was_forbidden() ? forbidden() : std::move(reply);
}

// All of the work is one job of the engine's, so the memory needs no queue in front of it.
HttpReply HttpService::answer_events(EngineQueue::Place& place, std::optional<AccessKey> key,
                                     StreamedWork work, Order order) {
    return event_reply(
        std::move(place), stopping_,
        [this, key = std::move(key), work = std::move(work)](EventStream& events) {
            ScopedMemory scoped(memory_, key, options_.bank);
            auto refusal = work(scoped, events);
            return scoped.was_forbidden() ? std::optional(forbidden()) : std::move(refusal);
        },
        order);
}

HttpReply HttpService::answer_endpoint(const Route& route, const HttpRequest& request,
                                       MemoryPort& memory) {
    if (route.endpoint == Endpoint::kMcp) {
        McpServer server(memory, options_.version);
        return answer_mcp(server, request, stopping_);
    }
    if (route.endpoint == Endpoint::kDocuments) return list_documents(memory, request);
    if (route.endpoint == Endpoint::kTree) return show_tree(memory, request);
    if (route.endpoint == Endpoint::kEmbeddings) return make_embeddings(memory, request.body);
    return call_verb(memory, route, request, stopping_);
}

HttpReply HttpService::answer_ready() {
    auto place = queue_.admit();
    if (!place) return busy();
    QueuedMemory queued(memory_, *place);
    const auto touched = queued.resources("", 1);
    if (touched) return json_reply({{"ready", true}});
    return problem(503, error_code_name(touched.error().code()), touched.error().to_string());
}

}  // namespace mc::serve
