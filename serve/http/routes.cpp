// SPDX-License-Identifier: Apache-2.0
#include "serve/http/routes.h"

#include <array>
#include <nlohmann/json.hpp>

#include "serve/http/browse.h"
#include "serve/http/openai.h"

namespace mc::serve {
namespace {

constexpr std::string_view kPlainText = "text/plain; version=0.0.4";

constexpr std::array kRoutes = {
    Route{"POST", "/v1/remember", Endpoint::kVerb, Verb::kRemember, "Keep a text"},
    Route{"POST", "/v1/recall", Endpoint::kVerb, Verb::kRecall, "Find passages, maybe an answer"},
    Route{"POST", "/v1/read", Endpoint::kVerb, Verb::kRead, "The exact text of a document"},
    Route{"POST", "/v1/forget", Endpoint::kVerb, Verb::kForget, "Take documents out"},
    Route{"GET", "/v1/status", Endpoint::kVerb, Verb::kStatus, "What the memory holds"},
    Route{"POST", "/v1/documents", Endpoint::kDocument, std::nullopt,
          "Keep a document, which is the body"},
    Route{"GET", "/v1/documents", Endpoint::kDocuments, std::nullopt, "The newest documents"},
    Route{"GET", "/v1/operations/{operation}", Endpoint::kOperation, std::nullopt,
          "How far a document has been taken in"},
    Route{"DELETE", "/v1/operations/{operation}", Endpoint::kOperation, std::nullopt,
          "Take no more of a document in"},
    Route{"GET", "/v1/tree", Endpoint::kTree, std::nullopt,
          "The top of a document's tree, or what is below a node"},
    Route{"POST", "/mcp", Endpoint::kMcp, std::nullopt, "Model Context Protocol"},
    Route{"POST", "/v1/chat/completions", Endpoint::kChat, std::nullopt,
          "OpenAI's chat completions, answered from the memory"},
    Route{"POST", "/v1/embeddings", Endpoint::kEmbeddings, std::nullopt, "OpenAI's embeddings"},
    Route{"GET", "/v1/models", Endpoint::kModels, std::nullopt, "The one model"},
    Route{"GET", "/health/live", Endpoint::kLive, std::nullopt, "Whether the server runs",
          "application/json", true},
    Route{"GET", "/health/ready", Endpoint::kReady, std::nullopt, "Whether it answers",
          "application/json", true},
    Route{"GET", "/metrics", Endpoint::kMetrics, std::nullopt, "For Prometheus", kPlainText},
    Route{"GET", "/openapi.json", Endpoint::kOpenApi, std::nullopt, "This document",
          "application/json", true},
    Route{"GET", "/", Endpoint::kPage, std::nullopt, "A page for people", "text/html", true},
};

constexpr std::string_view kProblemSchema = R"({"type":"object","properties":{
"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
"detail":{"type":"string"},"code":{"type":"string"}},"required":["title","status","detail"]})";

constexpr std::string_view kOperationSchema = R"({"type":"object","properties":{
"operation":{"type":"string"},
"state":{"enum":["waiting","running","cancelling","done","failed","cancelled"]},
"created_us":{"type":"integer"},"ended_us":{"type":["integer","null"]},
"progress":{"type":"object","properties":{"bytes_done":{"type":"integer"},
"bytes_total":{"type":"integer"},"tokens_done":{"type":"integer"}}},
"result":{"type":["object","null"]},"error":{"type":["object","null"]}},
"required":["operation","state","progress"]})";

Json content(std::string_view media_type, const Json& schema) {
    return {{std::string(media_type), {{"schema", schema}}}};
}

Json request_schema(const Route& route) {
    if (route.verb) return input_schema(*route.verb);
    if (route.endpoint == Endpoint::kChat) return chat_schema();
    if (route.endpoint == Endpoint::kEmbeddings) return embeddings_schema();
    if (route.endpoint == Endpoint::kDocument) return {{"type", "string"}, {"format", "binary"}};
    return {{"type", "object"}};
}

Json answer_schema(const Route& route) {
    if (route.verb) return output_schema(*route.verb);
    if (route.endpoint == Endpoint::kDocument) return output_schema(Verb::kRemember);
    if (route.endpoint == Endpoint::kOperation) return Json::parse(kOperationSchema);
    return {{"type", route.content_type == "application/json" ? "object" : "string"}};
}

// What a route says by and by, for the clients that want it so; empty for one that does not.
std::string_view events_of(const Route& route) {
    if (route.verb == Verb::kRecall)
        return "With Accept: text/event-stream. Event evidence: the reply without its answer; "
               "delta: {text}, a piece of the answer as it is written; reply: the whole reply; "
               "error: a problem in its place.";
    if (route.endpoint == Endpoint::kChat)
        return "With stream: true. OpenAI's chunks; the first also holds memory. With "
               "stream_options.include_usage the last holds usage. Then [DONE].";
    return "";
}

// What remember takes beside a file, as text.
Json document_parameters() {
    Json parameters = Json::array();
    for (const char* name : {"name", "event_time", "idempotency_key", "bank"})
        parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    return parameters;
}

Json parameter(const char* name, const char* in, bool is_required) {
    return {
        {"name", name}, {"in", in}, {"required", is_required}, {"schema", {{"type", "string"}}}};
}

Json mcp_error_content() {
    Json either = content("application/problem+json", Json::parse(kProblemSchema));
    either["application/json"] = {{"schema", {{"type", "object"}}}};
    return either;
}

// A route that takes a document in may say so before it is done.
void add_operation(Json& operation) {
    Json taken = {{"description", "Kept, and being taken in: ask for the operation at Location"},
                  {"content", content("application/json", Json::parse(kOperationSchema))}};
    operation["responses"]["202"] = std::move(taken);
    Json prefer = parameter("Prefer", "header", false);
    prefer["description"] =
        "respond-async: do not wait for a document; wait=60: wait for a long one, too";
    operation["parameters"].push_back(std::move(prefer));
}

Json operation_of(const Route& route) {
    Json operation = {{"summary", route.summary}};
    if (route.verb) {
        operation["operationId"] = verb_info(*route.verb).name;
        operation["description"] = verb_info(*route.verb).description;
    }
    if (route.method == "POST") {
        const bool is_bytes = route.endpoint == Endpoint::kDocument;
        operation["requestBody"] = {
            {"required", true},
            {"content", content(is_bytes ? "*/*" : "application/json", request_schema(route))}};
        if (is_bytes) operation["parameters"] = document_parameters();
    }
    if (route.endpoint == Endpoint::kDocuments) operation["parameters"] = list_parameters();
    if (route.endpoint == Endpoint::kTree) operation["parameters"] = tree_parameters();
    Json done = content(route.content_type, answer_schema(route));
    if (const std::string_view events = events_of(route); !events.empty())
        done["text/event-stream"] = {{"schema", {{"type", "string"}, {"description", events}}}};
    operation["responses"] = {{"200", {{"description", "Done"}, {"content", std::move(done)}}},
                              {"default", {{"$ref", "#/components/responses/problem"}}}};
    if (route.endpoint == Endpoint::kOperation)
        operation["parameters"] = Json::array({parameter("operation", "path", true)});
    if (route.endpoint == Endpoint::kDocument || route.verb == Verb::kRemember)
        add_operation(operation);
    if (route.endpoint == Endpoint::kMcp)
        operation["responses"]["default"] = {{"description", "An error of JSON-RPC, or a problem"},
                                             {"content", mcp_error_content()}};
    if (route.is_open) operation["security"] = Json::array({Json::object()});
    return operation;
}

std::string lower_case(std::string_view method) {
    std::string text(method);
    for (char& c : text) c = static_cast<char>(c | 0x20);
    return text;
}

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

Json open_api(const std::string& version) {
    Json paths = Json::object();
    for (const Route& route : kRoutes)
        paths[std::string(route.path)][lower_case(route.method)] = operation_of(route);
    const Json problem_content = content("application/problem+json", Json::parse(kProblemSchema));
    return {{"openapi", "3.1.0"},
            {"info", {{"title", "MegaContext"}, {"version", version}}},
            {"paths", std::move(paths)},
            {"components",
             {{"responses",
               {{"problem",
                 {{"description", "What went wrong (RFC 9457)"}, {"content", problem_content}}}}},
              {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
            {"security", Json::array({Json{{"key", Json::array()}}, Json::object()})}};
}

}  // namespace mc::serve
