// SPDX-License-Identifier: Apache-2.0
#include "serve/http/mcp_http.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "serve/http/recall_stream.h"
#include "serve/mcp/stdio_transport.h"
#include "serve/protocol/base64.h"

namespace mc::serve {
namespace {

// "=?base64?…?=" stands for what a header cannot hold.
std::optional<std::string> decode_header(const std::string& value) {
    constexpr std::string_view kBegin = "=?base64?";
    constexpr std::string_view kEnd = "?=";
    const std::string_view text = value;
    if (!text.starts_with(kBegin) || !text.ends_with(kEnd)) return value;
    return decode_base64(text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size()));
}

// The parameter that Mcp-Name repeats; empty for a method that has none.
std::string name_of(const Json& message) {
    const std::string method = message.value("method", "");
    const char* const key = method == "tools/call"       ? "name"
                            : method == "resources/read" ? "uri"
                                                         : nullptr;
    if (key == nullptr) return {};
    const auto& params = message["params"];
    const auto found = params.find(key);
    return found != params.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The header that disagrees with the body; empty when none does. Requires: the message names a
// revision, so params is an object.
std::string wrong_header(const HttpRequest& request, const Json& message) {
    if (request.header("MCP-Protocol-Version") != named_revision(message))
        return "MCP-Protocol-Version";
    const auto method = message.find("method");
    if (method == message.end() || !method->is_string() ||
        request.header("Mcp-Method") != method->get<std::string>())
        return "Mcp-Method";
    const std::string name = name_of(message);
    if (!name.empty() && decode_header(request.header("Mcp-Name")) != name) return "Mcp-Name";
    return {};
}

// To an older client an error is an answer like any other, but to what is no message at all.
int status_of(const Json& answer, bool modern) {
    if (!answer.contains("error")) return 200;
    const auto code = static_cast<RpcCode>(answer["error"]["code"].get<int>());
    if (code == RpcCode::kInvalidRequest) return 400;
    if (!modern || code == RpcCode::kInternalError) return 200;
    return code == RpcCode::kMethodNotFound ? 404 : 400;
}

HttpReply rpc_reply(const Json& answer, int status) {
    HttpReply reply = json_reply(answer);
    reply.status = status;
    return reply;
}

}  // namespace

std::optional<Json> progress_message(const HttpRequest& request) {
    if (!accepts_events(request)) return std::nullopt;
    auto message = parse_json(request.body, kMessageBytesMax);
    if (!message || !wants_progress(*message)) return std::nullopt;
    if (!named_revision(*message).empty() && !wrong_header(request, *message).empty())
        return std::nullopt;
    return std::move(*message);
}

HttpReply answer_mcp(McpServer& server, const HttpRequest& request,
                     const std::atomic<bool>& cancelled) {
    const auto message = parse_json(request.body, kMessageBytesMax);
    if (!message)
        return rpc_reply(rpc_error({}, RpcCode::kParseError, message.error().message()), 400);
    const bool modern = !named_revision(*message).empty();
    if (modern) {
        const std::string header = wrong_header(request, *message);
        if (!header.empty())
            return rpc_reply(rpc_error(message->value("id", Json()), RpcCode::kHeaderMismatch,
                                       "the header " + header + " does not match the message"),
                             400);
    }
    const auto answer = server.handle(*message, cancelled);
    if (answer) return rpc_reply(*answer, status_of(*answer, modern));
    HttpReply accepted;
    accepted.status = 202;
    return accepted;
}

}  // namespace mc::serve
