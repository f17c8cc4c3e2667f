// SPDX-License-Identifier: Apache-2.0
#include "reader/chat_server.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/utf8.h"
#include "reader/http_post.h"

namespace mc::reader {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kCompletions = "/chat/completions";
constexpr std::size_t kSaidBytesMax = 300;  // of a server's own words in an error
constexpr std::size_t kStopsMax = 4;        // what the API takes
constexpr std::string_view kWhiteSpace = " \t\r\n";

struct Address {
    std::string origin;
    std::string path;
    bool is_open = false;   // not encrypted
    bool is_local = false;  // of this machine
};

Error no_address(const std::string& url, const std::string& why) {
    return Error(ErrorCode::kUsage, "the reader \"" + url + "\" " + why +
                                        "; give its base URL, such as http://127.0.0.1:8080/v1");
}

// "127.0.0.1" of "127.0.0.1:8080", "[::1]" of "[::1]:8080".
std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

Result<Address> parse_address(const std::string& url) {
    Address address;
    const std::string_view text = url;
    address.is_open = text.starts_with("http://");
    if (!address.is_open && !text.starts_with("https://"))
        return fail(no_address(url, "begins with neither http:// nor https://"));
    const std::size_t authority = text.find("://") + 3;
    const std::size_t slash = std::min(text.find('/', authority), text.size());
    const std::string_view server = text.substr(authority, slash - authority);
    const bool is_printable =
        std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
    if (host_of(server).empty() || !is_printable) return fail(no_address(url, "names no server"));
    if (text.find_first_of("@?#") != std::string_view::npos)
        return fail(no_address(url, "holds a user, a query or a fragment"));
    constexpr std::array<std::string_view, 3> kLocal = {"localhost", "127.0.0.1", "[::1]"};
    address.is_local = std::ranges::find(kLocal, host_of(server)) != kLocal.end();
    address.origin = text.substr(0, slash);
    address.path = text.substr(slash);
    while (address.path.ends_with('/')) address.path.pop_back();
    if (!address.path.ends_with(kCompletions)) address.path += kCompletions;
    return address;
}

Result<Address> address_of(const ChatServer& server) {
    MC_ASSIGN(const Address address, parse_address(server.url));
    const bool is_line =
        std::ranges::all_of(server.key, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!is_line) return fail(ErrorCode::kUsage, std::string(kKeyVariable) + " is no key");
    if (!server.key.empty() && address.is_open && !address.is_local)
        return fail(ErrorCode::kUsage, "the key in " + std::string(kKeyVariable) +
                                           " is not sent to " + address.origin +
                                           " in the open: use https://, or unset it");
    return address;
}

std::string body_of(const ChatServer& server, const ChatRequest& request) {
    Json body = {{"model", server.model},
                 {"messages",
                  {{{"role", "system"}, {"content", request.system}},
                   {{"role", "user"}, {"content", request.user}}}},
                 {"max_tokens", request.tokens_max},
                 {"temperature", request.temperature},
                 {"seed", request.seed},
                 {"stream", false}};
    if (!request.stop.empty()) {
        const std::size_t count = std::min(request.stop.size(), kStopsMax);
        body["stop"] = std::vector<std::string>(
            request.stop.begin(), request.stop.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// One printable line of what a server says of its error: its message, or the begin of its answer.
std::string said_by(const std::string& body) {
    std::string said = body;
    const Json json = Json::parse(body, nullptr, false);
    if (json.is_object() && json.contains("error")) {
        const Json& error = json["error"];
        if (error.is_string()) said = error.get<std::string>();
        if (error.is_object() && error.contains("message") && error["message"].is_string())
            said = error["message"].get<std::string>();
    }
    said = to_valid_utf8(said.substr(0, kSaidBytesMax));
    for (char& c : said)
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') c = ' ';
    return said.empty() ? "nothing" : said;
}

Error refusal_of(const ChatServer& server, const HttpAnswer& answer) {
    const std::string who = "the reader at " + server.url;
    const std::string said = " (it says: " + said_by(answer.body) + ")";
    if (answer.status == 401 || answer.status == 403)
        return Error(ErrorCode::kIo, who + " refuses the key: put one of its own into " +
                                         std::string(kKeyVariable) + said);
    if (answer.status == 404)
        return Error(ErrorCode::kIo, who + " has no chat completions there, or no model \"" +
                                         server.model +
                                         "\": give its base URL, such as "
                                         "http://127.0.0.1:8080/v1, and a model that it has" +
                                         said);
    return Error(ErrorCode::kIo,
                 who + " answers with status " + std::to_string(answer.status) + said);
}

std::uint32_t count_of(const Json& completion, const char* key) {
    const auto usage = completion.find("usage");
    if (usage == completion.end() || !usage->is_object()) return 0;
    const auto count = usage->find(key);
    const bool is_count = count != usage->end() && count->is_number_unsigned();
    return is_count ? count->get<std::uint32_t>() : 0;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(kWhiteSpace) + 1);
    text.erase(0, text.find_first_not_of(kWhiteSpace));
    return text;
}

// nullopt for what is no completion with text.
std::optional<ChatReply> reply_of(const std::string& body) {
    const Json completion = Json::parse(body, nullptr, false);
    const auto text = Json::json_pointer("/choices/0/message/content");
    if (!completion.is_object() || !completion.contains(text)) return std::nullopt;
    if (!completion[text].is_string()) return std::nullopt;
    ChatReply reply;
    reply.text = trimmed(completion[text].get<std::string>());
    if (completion.contains("model") && completion["model"].is_string())
        reply.model = completion["model"].get<std::string>();
    const Json& choice = completion["choices"][0];
    reply.is_cut = choice.contains("finish_reason") && choice["finish_reason"] == "length";
    reply.prompt_tokens = count_of(completion, "prompt_tokens");
    reply.new_tokens = count_of(completion, "completion_tokens");
    if (reply.text.empty()) return std::nullopt;
    return reply;
}

}  // namespace

Result<void> check_server(const ChatServer& server) {
    MC_TRY(address_of(server));
    return {};
}

Result<ChatReply> ask(const ChatServer& server, const ChatRequest& request) {
    MC_ASSIGN(const Address address, address_of(server));
    HttpPost sent{address.origin,           address.path,       server.key,
                  body_of(server, request), server.seconds_max, request.cancelled};
    MC_ASSIGN(const HttpAnswer answer, post(sent));
    if (answer.status != 200) return fail(refusal_of(server, answer));
    auto reply = reply_of(answer.body);
    if (!reply)
        return fail(ErrorCode::kIo, "the reader at " + server.url +
                                        " gives no text (it says: " + said_by(answer.body) + ")");
    if (reply->model.empty()) reply->model = server.model;
    return std::move(*reply);
}

}  // namespace mc::reader
