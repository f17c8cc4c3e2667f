// SPDX-License-Identifier: Apache-2.0
// The tokens that go around a text and a question, or that make a conversation, so that the model
// answers.
//
// They are what the model's own chat template (lm/jinja/template.h) makes of a system turn and a
// user turn with text and question; a template that knows no system turn gets its words at the
// start of the user's. Models without a template get "Question: …\nAnswer:". Only what the template
// itself spells becomes a control token, never the words of the question. BOS comes first unless
// the template starts with a control token. Ownership: borrows the tokenizer. Threads: const, free.
// Errors: kInvalidInput for a template that cannot be used, with its line.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::lm {

namespace jinja {
class Template;
}

struct ChatPrompt {
    std::vector<TokenId> before_text;  // starts the sequence
    std::vector<TokenId> after_text;   // the question, up to where the answer starts
};

// One turn with an instruction before it, without both: the template's tokens around them.
struct TurnFrame {
    std::vector<TokenId> before_instruction;  // starts the sequence
    std::vector<TokenId> before_message;      // from the instruction to the user's message
    std::vector<TokenId> after_message;       // up to where the answer starts
};

enum class ChatRole { kSystem, kUser, kAssistant };

struct ChatMessage {
    ChatRole role = ChatRole::kUser;
    std::string text;
};

// One model's form of a prompt: its template read and its control tokens found, once.
class ChatFormat {
  public:
    static Result<std::unique_ptr<ChatFormat>> make(const Tokenizer& tokenizer);
    ~ChatFormat();
    ChatFormat(const ChatFormat&) = delete;
    ChatFormat& operator=(const ChatFormat&) = delete;

    const Tokenizer& tokenizer() const { return tokenizer_; }

    // Errors: also for a template that refuses such a prompt.
    Result<ChatPrompt> prompt(std::string_view question) const;

    // Where an instruction and a message of the user's stand, for those who put other entries than
    // tokens there. Errors: also for a template that refuses such a prompt.
    Result<TurnFrame> turn_frame() const;

    // What ends a message that holds a text: the question, asked as prompt() asks it.
    std::vector<TokenId> question_after_text(std::string_view question) const;

    // A conversation up to where the assistant's next message starts. Requires: at most one system
    // message, first; then the user's and the assistant's in turn, the user's first and last.
    // Models without a template get lines "User: …" and "Assistant: …".
    // Errors: also for a template that refuses such a conversation, or changes its words.
    Result<std::vector<TokenId>> conversation(std::span<const ChatMessage> messages) const;

    // What ends a message of the assistant's besides control tokens; empty for none.
    std::string_view stop_string() const;

  private:
    class ControlTokens;

    std::vector<TokenId> with_bos(std::vector<TokenId> tokens) const;

    explicit ChatFormat(const Tokenizer& tokenizer);

    const Tokenizer& tokenizer_;
    std::unique_ptr<const jinja::Template> template_;  // null where the model has none
    std::unique_ptr<const ControlTokens> controls_;
};

}  // namespace mc::lm
