// SPDX-License-Identifier: Apache-2.0
// A conversation line by line: plain text is a message, dot-commands look at it.
//
// An answer is shown as it is written; Ctrl-C stops it and keeps what is written. With JSON a turn
// is one line when it is durable. Ownership: borrows session and Output. Threads: one.
// Errors: kUsage for an unknown command; those of runtime::ChatSession. The conversation goes on
// after any error.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/terminal/output.h"
#include "runtime/chat_session.h"

namespace mc::apps {

class ChatConsole;

struct ChatCommand {
    std::string_view name;
    std::string_view arguments;
    std::string_view help;
    Result<void> (ChatConsole::*run)(std::string_view arguments);
};

// In the order of .help.
std::span<const ChatCommand> chat_commands();

class ChatConsole {
  public:
    ChatConsole(runtime::ChatSession& session, runtime::AnswerOptions answer_options, Output& out)
        : session_(session), answer_options_(std::move(answer_options)), out_(out) {}

    // "conversation ada, 12 turns; …".
    std::string greeting() const;
    std::string prompt() const;

    // Runs one line; a blank one does nothing.
    Result<void> execute(std::string_view line);

    bool wants_quit() const { return wants_quit_; }

    // Whether Ctrl-C stopped the last answer.
    bool stopped() const { return stopped_; }

    Result<void> do_help(std::string_view arguments);
    Result<void> do_window(std::string_view arguments);
    Result<void> do_pin(std::string_view arguments);
    Result<void> do_quit(std::string_view arguments);

  private:
    Result<void> say(const std::string& message);
    Json turn_json(const std::string& message, const runtime::ChatReply& reply) const;

    runtime::ChatSession& session_;
    runtime::AnswerOptions answer_options_;
    Output& out_;
    std::optional<runtime::ChatReply> last_;
    bool wants_quit_ = false;
    bool stopped_ = false;
};

}  // namespace mc::apps
