// SPDX-License-Identifier: Apache-2.0
// Conversations inside the session: from .chat to .quit every line is a message.
#include <nlohmann/json.hpp>

#include "apps/repl/repl.h"

namespace mc::apps {

Result<void> Repl::do_chat(std::string_view arguments) {
    runtime::ChatOptions options;
    options.name = arguments.empty() ? std::string(runtime::kConversationName) : arguments;
    options.budget = config_.budget_entries;
    // A conversation is written down, and a process has at most one Store per directory.
    session_.close();
    last_report_.reset();
    auto talk = open_talk(options);
    if (!talk) {
        MC_TRY(open());
        return fail(std::move(talk.error()));
    }
    talk_ = std::move(*talk);
    say("conversation", options.name);
    return {};
}

Result<Repl::Talk> Repl::open_talk(const runtime::ChatOptions& options) {
    Talk talk;
    MC_ASSIGN(talk.engine, runtime::Engine::open(config_, runtime::Need::kModel,
                                                 runtime::Access::kWrite, metrics_));
    MC_ASSIGN(talk.bank, runtime::BankSession::open(*talk.engine, config_.bank, false));
    MC_ASSIGN(talk.chat, runtime::ChatSession::open(*talk.bank, options));
    talk.console = std::make_unique<ChatConsole>(*talk.chat, answer_options_, out_);
    return talk;
}

Result<void> Repl::talk(std::string_view line) {
    MC_TRY(talk_.console->execute(line));
    if (!talk_.console->wants_quit()) return {};
    talk_.close();
    return open();
}

void Repl::Talk::close() {
    console.reset();
    chat.reset();
    bank.reset();
    engine.reset();
}

}  // namespace mc::apps
