// SPDX-License-Identifier: Apache-2.0
// `megacontext chat`: a conversation on a terminal, or messages from a pipe, one a line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/commands/command.h"
#include "apps/repl/chat_console.h"
#include "apps/repl/line_reader.h"
#include "apps/views/answer_settings.h"
#include "runtime/store_key.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext chat\n"
    "  megacontext chat --name travel --pin \"I am allergic to nuts.\"\n"
    "  echo \"Where did I leave the lantern?\" | megacontext chat --name travel --json\n"
    "A conversation goes on where it was left. Input from a pipe is one message a line; the first\n"
    "error ends the run with its exit code.";

// Where nothing else is said: as long as the model writes, up to three paragraphs or so.
runtime::AnswerOptions answers_of_a_chat() {
    runtime::AnswerOptions options;
    options.tokens_max = 256;
    options.sentences_max = 0;
    return options;
}

class ChatSubcommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("chat", "Chat, and be remembered");
        app->add_option("--name", chat_options_.name, "the conversation, in its bank")
            ->type_name("CONVERSATION")
            ->capture_default_str();
        app->add_option("--system", chat_options_.system,
                        "the system prompt; default: what the conversation has")
            ->type_name("TEXT");
        app->add_option("--pin", chat_options_.pins,
                        "a fact that is told before every turn (repeatable)")
            ->type_name("FACT")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        app->add_flag("--with-documents", chat_options_.with_documents,
                      "remember from the other documents of the bank too");
        add_setting_flag(*app, flags, Setting::kBudget);
        add_answer_flags(*app, answer_options_);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto engine,
                  open_engine(invocation, runtime::Need::kModel, runtime::Access::kWrite));
        MC_ASSIGN(const auto bank,
                  runtime::BankSession::open(*engine, invocation.config.bank, true));
        MC_TRY(open_search(invocation, *bank));
        chat_options_.budget = invocation.config.budget_entries;
        MC_ASSIGN(const auto session, runtime::ChatSession::open(*bank, chat_options_));
        ChatConsole console(*session, answer_options_, invocation.out);
        if (isatty(STDIN_FILENO) == 1) {
            run_terminal(console, invocation);
            return 0;
        }
        return run_pipe(console);
    }

  private:
    static void run_terminal(ChatConsole& console, const Invocation& invocation);
    static Result<int> run_pipe(ChatConsole& console);

    runtime::ChatOptions chat_options_;
    runtime::AnswerOptions answer_options_ = answers_of_a_chat();
};

void ChatSubcommand::run_terminal(ChatConsole& console, const Invocation& invocation) {
    Output& out = invocation.out;
    out.note(console.greeting());
    std::vector<std::string_view> words;
    for (const ChatCommand& command : chat_commands()) words.push_back(command.name);
    const bool is_private = runtime::has_key(invocation.config);
    LineReader reader(is_private ? "" : "chat_history", std::move(words));
    while (!console.wants_quit()) {
        const auto line = reader.read(console.prompt());
        if (!line) return;
        if (const auto done = console.execute(*line); !done) out.error(done.error());
        out.flush();
    }
}

Result<int> ChatSubcommand::run_pipe(ChatConsole& console) {
    for (std::string line; !console.wants_quit() && std::getline(std::cin, line);) {
        MC_TRY(console.execute(line));
        if (console.stopped()) return static_cast<int>(ErrorCode::kCancelled);
    }
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_chat_command() {
    return std::make_unique<ChatSubcommand>();
}

}  // namespace mc::apps
