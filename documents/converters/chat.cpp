// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/chat.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "core/utf8.h"
#include "documents/converters/text_builder.h"

namespace mc::documents {
namespace {

using Json = nlohmann::json;

// Deeper values are no message's; the parser's own stack stays small.
constexpr std::size_t kJsonDepthMax = 64;

// 2001-09-09 to 2286-11-20; larger numbers are milliseconds.
constexpr double kSecondsMin = 1e9;
constexpr double kSecondsMax = 1e10;

std::string time_text(double seconds) {
    if (seconds >= kSecondsMax) seconds /= 1000;
    if (!(seconds >= kSecondsMin && seconds < kSecondsMax)) return {};
    const auto whole = static_cast<std::time_t>(seconds);
    std::tm parts{};
    if (::gmtime_r(&whole, &parts) == nullptr) return {};
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string first_text(const Json& message, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        const auto found = message.find(key);
        if (found == message.end()) continue;
        if (found->is_string()) return found->get<std::string>();
        if (found->is_number()) return time_text(found->get<double>());
        if (found->is_object() && found->contains("role") && (*found)["role"].is_string())
            return (*found)["role"].get<std::string>();
    }
    return {};
}

// A text, or a list of parts with texts.
std::string content_of(const Json& message) {
    const auto content = message.find("content");
    if (content == message.end()) return {};
    if (content->is_string()) return content->get<std::string>();
    std::string text;
    const Json& parts =
        content->is_object() && content->contains("parts") ? (*content)["parts"] : *content;
    if (!parts.is_array()) return {};
    for (const Json& part : parts) {
        const std::string one =
            part.is_string() ? part.get<std::string>()
            : part.is_object() && part.contains("text") && part["text"].is_string()
                ? part["text"].get<std::string>()
                : "";
        if (!one.empty()) text += (text.empty() ? "" : "\n") + one;
    }
    return text;
}

class ChatReader {
  public:
    explicit ChatReader(TextBuilder& builder) : builder_(builder) {}

    void read(const Json& line) {
        const auto messages = line.find("messages");
        if (messages == line.end() || !messages->is_array()) {
            read_message(line, "message " + std::to_string(++messages_));
            return;
        }
        const std::string name = "conversation " + std::to_string(++conversations_);
        builder_.end_paragraph();
        std::size_t number = 0;
        for (const Json& message : *messages)
            if (message.is_object())
                read_message(message, name + ", message " + std::to_string(++number));
    }

  private:
    void read_message(const Json& message, const std::string& label) {
        const std::string content = content_of(message);
        if (content.find_first_not_of(" \t\r\n") == std::string::npos) return;
        const std::string time =
            first_text(message, {"time", "timestamp", "created_at", "create_time", "date"});
        const std::string role = first_text(message, {"role", "author", "sender", "from"});
        builder_.end_line();
        builder_.place(label);
        if (!time.empty()) builder_.text("[" + time + "] ");
        if (!role.empty()) builder_.text(role + ": ");
        builder_.verbatim(content);
        builder_.end_line();
    }

    TextBuilder& builder_;
    std::size_t messages_ = 0;
    std::size_t conversations_ = 0;
};

Result<Json> parse_line(std::string_view line, std::size_t number) {
    bool is_deep = false;
    const Json::parser_callback_t look = [&](int depth, Json::parse_event_t, Json&) {
        is_deep = is_deep || static_cast<std::size_t>(depth) > kJsonDepthMax;
        return !is_deep;
    };
    Json parsed = Json::parse(line, look, false);
    if (!is_deep && parsed.is_object()) return parsed;
    return fail(ErrorCode::kInvalidInput,
                "its line " + std::to_string(number) +
                    " is no JSON object, as every line of a chat is; give it another name than "
                    ".jsonl to take it in as text");
}

}  // namespace

Result<ConvertedText> convert_chat(std::string_view content, std::size_t bytes_max) {
    if (find_invalid_utf8(content)) return fail(ErrorCode::kInvalidInput, "it is not UTF-8");
    TextBuilder builder(bytes_max);
    ChatReader reader(builder);
    std::size_t number = 0;
    for (std::size_t at = 0; at < content.size() && !builder.is_full();) {
        const std::size_t end = std::min(content.find('\n', at), content.size());
        const std::string_view line = content.substr(at, end - at);
        at = end + 1;
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        MC_ASSIGN(const Json parsed, parse_line(line, number));
        reader.read(parsed);
    }
    if (builder.size() == 0 && !builder.is_full())
        return fail(ErrorCode::kInvalidInput, "none of its messages has text");
    return builder.finish();
}

}  // namespace mc::documents
