// SPDX-License-Identifier: Apache-2.0
#include "lm/chat_prompt.h"

#include <string>

namespace mc::lm {
namespace {

constexpr std::string_view kTurnStart = "<|im_start|>";
constexpr std::string_view kTurnEnd = "<|im_end|>";
constexpr std::string_view kSystemText =
    "You are a helpful assistant. Answer the question from the text that you are given, briefly "
    "and truthfully.";

// Appends plain text and control tokens to one list.
class PromptWriter {
  public:
    explicit PromptWriter(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    PromptWriter& text(std::string_view bytes) {
        const std::vector<TokenId> encoded = tokenizer_.encode(bytes);
        tokens_.insert(tokens_.end(), encoded.begin(), encoded.end());
        return *this;
    }

    PromptWriter& token(TokenId id) {
        tokens_.push_back(id);
        return *this;
    }

    std::vector<TokenId> take() { return std::move(tokens_); }

  private:
    const Tokenizer& tokenizer_;
    std::vector<TokenId> tokens_;
};

ChatPrompt plain_prompt(const Tokenizer& tokenizer, std::string_view question) {
    ChatPrompt prompt;
    prompt.before_text = PromptWriter(tokenizer).token(tokenizer.bos()).take();
    prompt.after_text =
        PromptWriter(tokenizer).text("\n\nQuestion: " + std::string(question) + "\nAnswer:").take();
    return prompt;
}

}  // namespace

ChatPrompt make_chat_prompt(const Tokenizer& tokenizer, std::string_view question) {
    const auto turn_start = tokenizer.find_control(kTurnStart);
    const auto turn_end = tokenizer.find_control(kTurnEnd);
    const bool is_chatml = tokenizer.chat_template().find(kTurnStart) != std::string::npos;
    if (!is_chatml || !turn_start || !turn_end) return plain_prompt(tokenizer, question);

    ChatPrompt prompt;
    PromptWriter before(tokenizer);
    // SmolLM2's BOS is the turn start itself: once is enough.
    if (tokenizer.bos() != *turn_start) before.token(tokenizer.bos());
    prompt.before_text = before.token(*turn_start)
                             .text("system\n" + std::string(kSystemText))
                             .token(*turn_end)
                             .text("\n")
                             .token(*turn_start)
                             .text("user\n")
                             .take();
    prompt.after_text = PromptWriter(tokenizer)
                            .text("\n\nQuestion: " + std::string(question))
                            .token(*turn_end)
                            .text("\n")
                            .token(*turn_start)
                            .text("assistant\n")
                            .take();
    return prompt;
}

}  // namespace mc::lm
