// SPDX-License-Identifier: Apache-2.0
// A conversation with the base model that may go on for ever: each turn reads a working context
// within one budget, whatever was said before.
//
// A prompt holds, inside the model's chat template: the system prompt and pinned facts; the newest
// turns, as many as there is room for; and the new message, with the passages of older turns before
// it that are likely to help (working_context/chat_window.h). A turn is durable when say() returns,
// and what it told is found by the next one. Ownership: borrows the bank, which is open for
// writing. Threads: one. Errors: kInvalidInput for an empty message; kOverBudget when system
// prompt, pins and message do not fit the budget, or budget and answer not the model, naming what
// does; those of the store, the search and the model. After an error the conversation stands at its
// last turn.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/conversation.h"
#include "runtime/focus_session.h"
#include "runtime/search/evidence.h"
#include "working_context/chat_window.h"

namespace mc::runtime {

// A conversation that nobody named.
inline constexpr std::string_view kConversationName = "chat";

struct ChatOptions {
    std::string name{kConversationName};  // of the conversation in its bank
    std::optional<std::string> system;    // nullopt: what the conversation has
    std::vector<std::string> pins;        // facts to add to those that it has
    std::uint64_t budget = 1024;          // entries of a prompt, all included
    bool with_documents = false;          // remember from the bank's other documents too
    bool remembers = true;  // false: the newest turns alone, what measurements compare with
};

// What the reader sees for one message.
struct TurnPrompt {
    std::vector<TokenId> tokens;  // inside the chat template, up to where the answer starts
    std::uint64_t budget = 0;
    std::uint64_t protected_entries = 0;  // system prompt, pins, the template around them
    std::size_t turns_shown = 0;          // newest turns that stand there raw
    TokenSpan shown;                      // of the conversation: their tokens
    std::vector<Evidence> memory;         // in reading order; level 0
    double seconds = 0;                   // to search and to make the prompt

    std::uint64_t cost() const { return tokens.size(); }
};

struct ChatReply {
    std::uint64_t turn = 0;  // its number, from 1
    TurnPrompt prompt;
    Answer answer;  // sources: ranks in prompt.memory, from 1
    double seconds_commit = 0;
};

class ChatSession {
  public:
    // Goes on with a conversation, or begins it. Cost: Conversation::open().
    static Result<std::unique_ptr<ChatSession>> open(BankSession& bank, const ChatOptions& options);

    const Conversation& conversation() const { return *conversation_; }

    // One turn: the answer is written through options.on_text, then both are committed. An answer
    // that was stopped is kept as far as it was written. Same conversation, message and options:
    // same answer.
    Result<ChatReply> say(const std::string& message, const AnswerOptions& options);

    // What the reader would see; changes nothing.
    Result<TurnPrompt> prompt_for(const std::string& message);

    // Takes in a turn that was spoken elsewhere.
    Result<void> take_turn(const text::Turn& turn);

    // Adds a fact that is told before every turn.
    Result<void> pin(const std::string& fact);

  private:
    class PromptMaker;

    ChatSession(BankSession& bank, const ChatOptions& options) : bank_(bank), options_(options) {}

    Result<void> protect(const ChatProtected& told);
    Result<std::vector<ChatPiece>> turn_pieces(const PromptMaker& maker) const;
    // found: what the window's memory is part of.
    Result<ChatWindow> plan(const PromptMaker& maker, const std::string& message,
                            std::vector<Stretch>& found);
    Result<std::vector<Evidence>> read_memory(const ChatWindow& window,
                                              std::span<const Stretch> found) const;
    Result<void> check_model_holds(const AnswerOptions& options) const;

    BankSession& bank_;
    ChatOptions options_;
    std::unique_ptr<Conversation> conversation_;
    const lm::ChatFormat* format_ = nullptr;
};

}  // namespace mc::runtime
