// SPDX-License-Identifier: Apache-2.0
#include "lm/generation/chat_prompt.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "lm/jinja/template.h"

namespace mc::lm {
namespace {

using jinja::Map;
using jinja::Origin;
using jinja::Text;
using jinja::Value;

constexpr std::string_view kSystemText =
    "You are a helpful assistant. Answer the question from the text that you are given, briefly "
    "and truthfully.";
// Points back at the text: of six ways to ask, the one after which the default model most often
// uses what it was given (docs/lab-log.md).
constexpr std::string_view kAskText = "Answer this question from the text above: ";
// Stands for the text, whose entries are no words; found again by its origin, so any byte will do.
constexpr std::string_view kSlot = "\x01";

constexpr const char* kContext = "the model's chat template";

void append(std::vector<TokenId>& tokens, const std::vector<TokenId>& more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
}

Result<Value> message(std::string_view role, Text content) {
    const auto key = [](std::string_view name) { return Text::of(name, Origin::kTemplate); };
    return Value::of(
        Map{{key("role"), Value::literal(role)}, {key("content"), Value::of(std::move(content))}});
}

// What Transformers gives a template, without tools and documents.
Result<Map> variables_for(const Tokenizer& tokenizer, jinja::List messages) {
    MC_ASSIGN(Value list, Value::of(std::move(messages)));
    const auto key = [](std::string_view name) { return Text::of(name, Origin::kTemplate); };
    return Map{{key("messages"), std::move(list)},
               {key("add_generation_prompt"), Value::of(true)},
               {key("bos_token"), Value::literal(tokenizer.bytes_of(tokenizer.bos()))},
               {key("eos_token"), Value::literal(tokenizer.bytes_of(tokenizer.eos()))},
               {key("tools"), Value::none()},
               {key("documents"), Value::none()}};
}

Result<jinja::List> question_messages(std::string_view question, bool has_system_turn) {
    Text user;
    jinja::List messages;
    if (has_system_turn) {
        MC_ASSIGN(Value system, message("system", Text::of(kSystemText, Origin::kContent)));
        messages.push_back(std::move(system));
    } else {
        user.append(kSystemText, Origin::kContent);
        user.append("\n\n", Origin::kContent);
    }
    user.append(kSlot, Origin::kSlot);
    user.append("\n\n" + std::string(kAskText) + std::string(question), Origin::kContent);
    MC_ASSIGN(Value turn, message("user", std::move(user)));
    messages.push_back(std::move(turn));
    return messages;
}

Result<Text> render(const jinja::Template& chat, const Tokenizer& tokenizer,
                    std::string_view question) {
    std::string refusal;
    for (const bool has_system_turn : {true, false}) {
        MC_ASSIGN(jinja::List messages, question_messages(question, has_system_turn));
        MC_ASSIGN(const Map variables, variables_for(tokenizer, std::move(messages)));
        MC_ASSIGN(jinja::Rendered rendered, chat.render(variables));
        if (rendered.raised) {
            refusal = "it refuses a plain question: " + *rendered.raised;
            continue;
        }
        const std::string& origins = rendered.text.origins;
        if (std::ranges::count(origins, static_cast<char>(Origin::kSlot)) != 1) {
            refusal = "it does not show the user's message exactly once";
            continue;
        }
        // Some templates drop a system turn without a word.
        if (rendered.text.bytes.find(kSystemText) != std::string::npos)
            return std::move(rendered.text);
        refusal = "it changes the words of a message";
    }
    return fail(ErrorCode::kInvalidInput, refusal);
}

// A slot for the instruction, then one for the message.
Result<jinja::List> frame_messages(bool has_system_turn) {
    Text user;
    jinja::List messages;
    if (has_system_turn) {
        MC_ASSIGN(Value system, message("system", Text::of(kSlot, Origin::kSlot)));
        messages.push_back(std::move(system));
    } else {
        user.append(kSlot, Origin::kSlot);
        user.append("\n\n", Origin::kContent);
    }
    user.append(kSlot, Origin::kSlot);
    MC_ASSIGN(Value turn, message("user", std::move(user)));
    messages.push_back(std::move(turn));
    return messages;
}

Result<Text> render_frame(const jinja::Template& chat, const Tokenizer& tokenizer) {
    std::string refusal;
    for (const bool has_system_turn : {true, false}) {
        MC_ASSIGN(jinja::List messages, frame_messages(has_system_turn));
        MC_ASSIGN(const Map variables, variables_for(tokenizer, std::move(messages)));
        MC_ASSIGN(jinja::Rendered rendered, chat.render(variables));
        if (!rendered.raised &&
            std::ranges::count(rendered.text.origins, static_cast<char>(Origin::kSlot)) == 2)
            return std::move(rendered.text);
        refusal = rendered.raised ? "it refuses an instruction: " + *rendered.raised
                                  : "it does not show instruction and message exactly once";
    }
    return fail(ErrorCode::kInvalidInput, refusal);
}

ChatPrompt plain_prompt(const Tokenizer& tokenizer, std::string_view question) {
    return {{tokenizer.bos()},
            tokenizer.encode("\n\nQuestion: " + std::string(question) + "\nAnswer:")};
}

std::string_view name_of(ChatRole role) {
    switch (role) {
        case ChatRole::kSystem:
            return "system";
        case ChatRole::kUser:
            return "user";
        case ChatRole::kAssistant:
            return "assistant";
    }
    return {};
}

// Without a system turn its words open the user's first message.
Result<jinja::List> conversation_messages(std::span<const ChatMessage> messages,
                                          bool has_system_turn) {
    jinja::List list;
    std::string opening;
    for (const ChatMessage& one : messages) {
        if (one.role == ChatRole::kSystem && !has_system_turn) {
            opening = one.text + "\n\n";
            continue;
        }
        const std::string text = std::exchange(opening, {}) + one.text;
        MC_ASSIGN(Value value, message(name_of(one.role), Text::of(text, Origin::kContent)));
        list.push_back(std::move(value));
    }
    return list;
}

// Whether every message stands there as it is, in their order.
bool shows_all(std::string_view rendered, std::span<const ChatMessage> messages) {
    std::size_t at = 0;
    for (const ChatMessage& one : messages) {
        at = rendered.find(one.text, at);
        if (at == std::string_view::npos) return false;
        at += one.text.size();
    }
    return true;
}

Result<Text> render(const jinja::Template& chat, const Tokenizer& tokenizer,
                    std::span<const ChatMessage> messages) {
    std::string refusal;
    for (const bool has_system_turn : {true, false}) {
        MC_ASSIGN(jinja::List list, conversation_messages(messages, has_system_turn));
        MC_ASSIGN(const Map variables, variables_for(tokenizer, std::move(list)));
        MC_ASSIGN(jinja::Rendered rendered, chat.render(variables));
        if (rendered.raised) {
            refusal = "it refuses a plain conversation: " + *rendered.raised;
            continue;
        }
        if (shows_all(rendered.text.bytes, messages)) return std::move(rendered.text);
        refusal = "it changes the words of a message";
    }
    return fail(ErrorCode::kInvalidInput, refusal);
}

constexpr std::string_view kPlainUser = "\nUser:";
constexpr std::string_view kPlainAssistant = "\nAssistant:";

std::string plain_conversation(std::span<const ChatMessage> messages) {
    std::string text;
    for (const ChatMessage& one : messages) {
        if (one.role == ChatRole::kSystem)
            text += one.text + "\n";
        else
            text.append(one.role == ChatRole::kUser ? kPlainUser : kPlainAssistant)
                .append(" ")
                .append(one.text);
    }
    return text.append(kPlainAssistant);
}

}  // namespace

// Finds the control tokens that a template spells.
class ChatFormat::ControlTokens {
  public:
    explicit ControlTokens(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
        for (TokenId id = 0; id < tokenizer.vocabulary_size(); ++id) {
            const std::string_view spelling = tokenizer.bytes_of(id);
            if (tokenizer.is_control(id) && !spelling.empty())
                by_first_byte_[static_cast<unsigned char>(spelling[0])].push_back(id);
        }
        for (auto& ids : by_first_byte_)
            std::ranges::stable_sort(ids, std::ranges::greater(),
                                     [&](TokenId id) { return tokenizer.bytes_of(id).size(); });
    }

    // What the template wrote may hold control tokens; all else is plain text.
    std::vector<TokenId> encode(const Text& text) const;

  private:
    // The longest one that starts here.
    std::optional<TokenId> find_at(std::string_view bytes) const {
        for (const TokenId id : by_first_byte_[static_cast<unsigned char>(bytes[0])])
            if (bytes.starts_with(tokenizer_.bytes_of(id))) return id;
        return std::nullopt;
    }

    const Tokenizer& tokenizer_;
    std::array<std::vector<TokenId>, 256> by_first_byte_;
};

std::vector<TokenId> ChatFormat::ControlTokens::encode(const Text& text) const {
    std::vector<TokenId> tokens;
    const std::string_view bytes = text.bytes;
    std::size_t plain_begin = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t content =
            std::min(text.origins.find(static_cast<char>(Origin::kContent), at), bytes.size());
        const auto control = content == at ? std::nullopt : find_at(bytes.substr(at, content - at));
        if (!control) {
            ++at;
            continue;
        }
        append(tokens, tokenizer_.encode(bytes.substr(plain_begin, at - plain_begin)));
        tokens.push_back(*control);
        at += tokenizer_.bytes_of(*control).size();
        plain_begin = at;
    }
    append(tokens, tokenizer_.encode(bytes.substr(plain_begin)));
    return tokens;
}

ChatFormat::ChatFormat(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

ChatFormat::~ChatFormat() = default;

Result<std::unique_ptr<ChatFormat>> ChatFormat::make(const Tokenizer& tokenizer) {
    std::unique_ptr<ChatFormat> format(new ChatFormat(tokenizer));
    if (tokenizer.chat_template().empty()) return format;
    auto parsed = jinja::Template::parse(tokenizer.chat_template());
    if (!parsed) return fail(std::move(parsed.error()).add_context(kContext));
    format->template_ = std::make_unique<const jinja::Template>(std::move(*parsed));
    format->controls_ = std::make_unique<const ControlTokens>(tokenizer);
    return format;
}

Result<ChatPrompt> ChatFormat::prompt(std::string_view question) const {
    if (!template_) return plain_prompt(tokenizer_, question);
    auto rendered = render(*template_, tokenizer_, question);
    if (!rendered) return fail(std::move(rendered.error()).add_context(kContext));
    const std::size_t slot = rendered->origins.find(static_cast<char>(Origin::kSlot));
    ChatPrompt prompt;
    prompt.before_text = controls_->encode(rendered->slice(0, slot));
    prompt.after_text = controls_->encode(rendered->slice(slot + 1, std::string::npos));
    prompt.before_text = with_bos(std::move(prompt.before_text));
    return prompt;
}

Result<TurnFrame> ChatFormat::turn_frame() const {
    if (!template_)
        return TurnFrame{{tokenizer_.bos()},
                         tokenizer_.encode("\n" + std::string(kPlainUser) + " "),
                         tokenizer_.encode(kPlainAssistant)};
    auto rendered = render_frame(*template_, tokenizer_);
    if (!rendered) return fail(std::move(rendered.error()).add_context(kContext));
    const auto slot = static_cast<char>(Origin::kSlot);
    const std::size_t instruction = rendered->origins.find(slot);
    const std::size_t message = rendered->origins.find(slot, instruction + 1);
    return TurnFrame{with_bos(controls_->encode(rendered->slice(0, instruction))),
                     controls_->encode(rendered->slice(instruction + 1, message - instruction - 1)),
                     controls_->encode(rendered->slice(message + 1, std::string::npos))};
}

std::vector<TokenId> ChatFormat::question_after_text(std::string_view question) const {
    return tokenizer_.encode("\n\n" + std::string(kAskText) + std::string(question));
}

std::vector<TokenId> ChatFormat::with_bos(std::vector<TokenId> tokens) const {
    if (tokens.empty() || !tokenizer_.is_control(tokens.front()))
        tokens.insert(tokens.begin(), tokenizer_.bos());
    return tokens;
}

Result<std::vector<TokenId>> ChatFormat::conversation(std::span<const ChatMessage> messages) const {
    if (!template_) return with_bos(tokenizer_.encode(plain_conversation(messages)));
    auto rendered = render(*template_, tokenizer_, messages);
    if (!rendered) return fail(std::move(rendered.error()).add_context(kContext));
    return with_bos(controls_->encode(*rendered));
}

std::string_view ChatFormat::stop_string() const {
    return template_ ? std::string_view() : kPlainUser;
}

}  // namespace mc::lm
