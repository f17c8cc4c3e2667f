// SPDX-License-Identifier: Apache-2.0
#include "serve/mcp/stdio_transport.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <thread>

#include "serve/mcp/message_queue.h"
#include "serve/protocol/rest.h"

namespace mc::serve {
namespace {

// Requests that wait; a client waits for each answer, so more are a mistake or an attack.
constexpr std::size_t kWaitingMax = 64;

// The next line without its end; of one that is too long, one byte more than is taken. False at the
// end.
bool read_line(std::istream& in, std::string& line) {
    constexpr int kEnd = std::char_traits<char>::eof();
    std::streambuf& source = *in.rdbuf();
    line.clear();
    int c = source.sbumpc();
    if (c == kEnd) return false;
    for (; c != kEnd && c != '\n'; c = source.sbumpc())
        if (line.size() <= kMessageBytesMax) line.push_back(static_cast<char>(c));
    return true;
}

// The text of an id tells text from numbers: 7 and "7" are two ids.
std::string id_of(const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end()) return {};
    return found->is_string() || found->is_number_integer() ? to_line(*found) : std::string();
}

bool is_blank(const std::string& text) {
    return text.find_first_not_of(" \t\r") == std::string::npos;
}

void read_messages(std::istream& in, MessageQueue& queue) {
    for (std::string line; read_line(in, line);) {
        if (is_blank(line)) continue;
        const auto message = parse_json(line, kMessageBytesMax);
        if (message && message->is_object() &&
            message->value("method", Json()) == "notifications/cancelled")
            queue.cancel(id_of(message->value("params", Json()), "requestId"));
        else
            queue.push({message ? id_of(*message, "id") : "", std::move(line)});
    }
    queue.close();
}

std::optional<Json> answer_to(McpServer& server, const std::string& text,
                              const std::atomic<bool>& cancelled, const McpServer::Notify& notify) {
    const auto message = parse_json(text, kMessageBytesMax);
    if (!message) return rpc_error({}, RpcCode::kParseError, message.error().message());
    return server.handle(*message, cancelled, notify);
}

}  // namespace

Result<void> serve_lines(McpServer& server, std::istream& in, std::ostream& out,
                         const std::function<bool()>& idle) {
    MessageQueue queue(kWaitingMax);
    std::thread reader([&] { read_messages(in, queue); });
    bool written = true;
    // Goes on when nobody reads any more, so that the reader can come to its end.
    const McpServer::Notify write = [&](const Json& message) {
        out << to_line(message) << '\n' << std::flush;
        written = written && out.good();
    };
    const auto pop = [&] {
        auto rest = kRest;
        while (idle && queue.stays_idle_for(rest) && idle()) rest = std::chrono::milliseconds(0);
        return queue.pop();
    };
    while (const auto message = pop()) {
        const auto answer = answer_to(server, message->text, queue.cancelled(), write);
        if (answer && !queue.cancelled()) write(*answer);
    }
    reader.join();
    if (!written) return fail(ErrorCode::kIo, "an answer could not be written");
    return {};
}

}  // namespace mc::serve
