// SPDX-License-Identifier: Apache-2.0
#include "apps/repl/chat_console.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "apps/repl/dot_command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"

namespace mc::apps {
namespace {

constexpr std::array kCommands{
    ChatCommand{".help", "", "what the commands do", &ChatConsole::do_help},
    ChatCommand{".window", "", "what the last answer was written from, and why",
                &ChatConsole::do_window},
    ChatCommand{".pin", "[FACT]", "the pinned facts, or pin one more: told before every turn",
                &ChatConsole::do_pin},
    ChatCommand{".quit", "", "leave", &ChatConsole::do_quit},
    ChatCommand{".exit", "", "leave", &ChatConsole::do_quit},
};

// "...and then?" is a message.
bool is_command(std::string_view text) {
    return text.size() > 1 && text[0] == '.' && text[1] >= 'a' && text[1] <= 'z';
}

Json window_json(const runtime::TurnPrompt& prompt) {
    Json memory = Json::array();
    for (std::size_t i = 0; i < prompt.memory.size(); ++i)
        memory.push_back(to_json(prompt.memory[i], i + 1));
    return {{"budget", prompt.budget},
            {"cost", prompt.cost()},
            {"protected_entries", prompt.protected_entries},
            {"turns", prompt.turns_shown},
            {"tokens", to_json(prompt.shown)},
            {"memory", memory},
            {"seconds", prompt.seconds}};
}

// "612 of 1,024 entries: 2 passages from earlier, the last 9 turns".
std::string window_summary(const runtime::TurnPrompt& prompt) {
    const auto counted = [](std::size_t count, const char* one) {
        return format_count(count) + " " + one + (count == 1 ? "" : "s");
    };
    return format_count(prompt.cost()) + " of " + format_count(prompt.budget) +
           " entries: " + counted(prompt.memory.size(), "passage") + " from earlier, the last " +
           counted(prompt.turns_shown, "turn");
}

}  // namespace

std::span<const ChatCommand> chat_commands() {
    return kCommands;
}

std::string ChatConsole::greeting() const {
    const runtime::Conversation& conversation = session_.conversation();
    const std::uint64_t turns = conversation.turn_count();
    return "conversation " + conversation.document().source_name +
           (turns == 0 ? std::string(", new")
                       : ", " + format_count(turns) + (turns == 1 ? " turn" : " turns")) +
           "; .help lists the commands, anything else is a message";
}

std::string ChatConsole::prompt() const {
    return session_.conversation().document().source_name + "> ";
}

Result<void> ChatConsole::execute(std::string_view line) {
    if (is_blank(line)) return {};
    if (!is_command(line)) return say(std::string(line));
    const std::string text = trimmed(line);
    const std::string_view name = std::string_view(text).substr(0, text.find(' '));
    const auto found = std::ranges::find(kCommands, name, &ChatCommand::name);
    if (found == kCommands.end())
        return fail(ErrorCode::kUsage,
                    "unknown command " + printable(name) +
                        "; .help lists them, and a space in front makes it a message");
    MC_ASSIGN(const std::string arguments, command_arguments(name, found->arguments, text));
    return (this->*found->run)(arguments);
}

Result<void> ChatConsole::say(const std::string& message) {
    runtime::AnswerOptions options = answer_options_;
    // Ctrl-C stops the answer and not the conversation.
    const InterruptWatch watch;
    options.interrupted = &interrupt_flag();
    if (!out_.json())
        options.on_text = [this](std::string_view text) {
            out_.raw(printable(text));
            out_.flush();
            return true;
        };
    auto reply = session_.say(message, options);
    if (!reply) return fail(std::move(reply.error()));
    last_ = std::move(*reply);
    stopped_ = last_->answer.stop_reason == runtime::AnswerEnd::kStopped;
    if (out_.json()) {
        out_.json(turn_json(message, *last_));
    } else {
        out_.text(source_marks(last_->answer));
        if (out_.terminal())
            out_.text(out_.faint(window_summary(last_->prompt) + "; " + summary_of(last_->answer)));
    }
    out_.flush();
    return {};
}

Json ChatConsole::turn_json(const std::string& message, const runtime::ChatReply& reply) const {
    const DocumentRecord& document = session_.conversation().document();
    return {{"conversation", document.source_name},
            {"document", to_text(document.id)},
            {"turn", reply.turn},
            {"message", message},
            {"answer", to_json(reply.answer)},
            {"window", window_json(reply.prompt)},
            {"document_tokens", document.token_count},
            {"seconds_commit", reply.seconds_commit}};
}

Result<void> ChatConsole::do_help(std::string_view) {
    if (out_.json()) {
        Json list = Json::array();
        for (const ChatCommand& command : kCommands)
            list.push_back({{"command", command.name},
                            {"arguments", command.arguments},
                            {"help", command.help}});
        out_.json({{"commands", list}});
        return {};
    }
    Table table({{"command"}, {"does"}});
    for (const ChatCommand& command : kCommands)
        table.add_row({trimmed(std::string(command.name) + " " + std::string(command.arguments)),
                       std::string(command.help)});
    table.print(out_);
    out_.text("Anything else is a message.");
    return {};
}

Result<void> ChatConsole::do_window(std::string_view) {
    if (!last_) return fail(ErrorCode::kInvalidInput, "no window yet; say something first");
    const runtime::TurnPrompt& prompt = last_->prompt;
    if (out_.json()) {
        out_.json({{"window", window_json(prompt)}});
        return {};
    }
    out_.text(window_summary(prompt));
    if (!prompt.memory.empty()) print_evidence(out_, prompt.memory);
    return {};
}

Result<void> ChatConsole::do_pin(std::string_view arguments) {
    if (!arguments.empty()) MC_TRY(session_.pin(std::string(arguments)));
    const std::vector<std::string>& pins = session_.conversation().told_always().pins;
    if (out_.json()) {
        out_.json({{"pins", pins}});
        return {};
    }
    for (const std::string& pin : pins) out_.text("- " + printable(pin));
    if (pins.empty()) out_.text("nothing is pinned");
    return {};
}

Result<void> ChatConsole::do_quit(std::string_view) {
    wants_quit_ = true;
    return {};
}

}  // namespace mc::apps
