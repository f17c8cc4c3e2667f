// SPDX-License-Identifier: Apache-2.0
// The interactive session: dot-commands look at the store, plain text is a question.
//
// Keeps one store open for reading, so that `ingest` may write it meanwhile; when it has changed,
// the next line sees the new state and the working context starts anew. The base model is loaded by
// the first question. A conversation (.chat) has the store open for writing until it is left.
// Ownership: borrows the Output and the metrics. Threads: one. Errors: kUsage for an unknown
// command or wrong arguments; those of what a command does. The session stays usable after any
// error.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/repl/chat_console.h"
#include "apps/terminal/output.h"
#include "core/config.h"
#include "runtime/focus_session.h"
#include "telemetry/metrics.h"

namespace mc::apps {

class Repl;

struct ReplCommand {
    std::string_view name;       // ".docs"
    std::string_view arguments;  // "DOCUMENT [A:B]"
    std::string_view help;
    Result<void> (Repl::*run)(std::string_view arguments);
};

// In the order of .help.
std::span<const ReplCommand> repl_commands();

class Repl {
  public:
    Repl(Config config, runtime::AnswerOptions answer_options, telemetry::Metrics& metrics,
         Output& out)
        : config_(std::move(config)),
          answer_options_(std::move(answer_options)),
          metrics_(metrics),
          out_(out) {}

    // Opens store and bank. Errors: those of runtime::Engine and BankSession.
    Result<void> open();

    // Runs one line: a dot-command or a question; blank lines and # comments do nothing.
    Result<void> execute(std::string_view line);
    // Runs every line of a file and stops at the first error, which names the line.
    Result<void> execute_file(const std::string& path);

    bool wants_quit() const { return wants_quit_; }

    std::string prompt() const {
        return talk_.console ? talk_.console->prompt() : config_.bank + "> ";
    }

    Result<void> do_help(std::string_view arguments);
    Result<void> do_open(std::string_view arguments);
    Result<void> do_banks(std::string_view arguments);
    Result<void> do_bank(std::string_view arguments);
    Result<void> do_docs(std::string_view arguments);
    Result<void> do_tree(std::string_view arguments);
    Result<void> do_node(std::string_view arguments);
    Result<void> do_text(std::string_view arguments);
    Result<void> do_search(std::string_view arguments);
    Result<void> do_expand(std::string_view arguments);
    Result<void> do_collapse(std::string_view arguments);
    Result<void> do_window(std::string_view arguments);
    Result<void> do_why(std::string_view arguments);
    Result<void> do_policy(std::string_view arguments);
    Result<void> do_budget(std::string_view arguments);
    Result<void> do_answer(std::string_view arguments);
    Result<void> do_set(std::string_view arguments);
    Result<void> do_chat(std::string_view arguments);
    Result<void> do_stats(std::string_view arguments);
    Result<void> do_mode(std::string_view arguments);
    Result<void> do_read(std::string_view arguments);
    Result<void> do_quit(std::string_view arguments);

  private:
    struct Session {
        std::unique_ptr<runtime::Engine> engine;
        std::unique_ptr<runtime::BankSession> bank;
        std::unique_ptr<runtime::FocusSession> focus;
        CommitNumber opened_at;

        // Users before what they use; an assignment would go the other way.
        void close();
    };

    // A conversation that goes on; empty at any other time. While there is one the session is
    // closed.
    struct Talk {
        std::unique_ptr<runtime::Engine> engine;
        std::unique_ptr<runtime::BankSession> bank;
        std::unique_ptr<runtime::ChatSession> chat;
        std::unique_ptr<ChatConsole> console;

        // As Session::close().
        void close();
    };

    Result<Talk> open_talk(const runtime::ChatOptions& options);
    // One line of the conversation.
    Result<void> talk(std::string_view line);
    Result<Session> open_session(const Config& config, runtime::Need need) const;
    Result<void> reopen_bank(const std::string& name);
    // Before every command: picks up what another process has committed.
    Result<void> refresh();
    Result<void> need_model();
    Result<void> ask(const std::string& question);
    Result<void> answer(Json* line);
    Result<const Window*> window() const;
    Result<void> edit(std::string_view arguments, Edit::Kind kind);
    Json window_json(const Window& window) const;
    Json window_json(const AnswerWindow& window) const;
    void print_window(const Window& window) const;
    void print_window(const AnswerWindow& window) const;
    // Says a setting's value after a command that reads or changes it.
    void say(const char* key, const Json& value);
    runtime::QueryOptions query_options() const;

    Config config_;
    runtime::AnswerOptions answer_options_;
    telemetry::Metrics& metrics_;
    Output& out_;
    Session session_;
    Talk talk_;
    std::optional<runtime::QueryReport> last_report_;
    bool answers_ = false;
    bool wants_quit_ = false;
    int script_depth_ = 0;
};

}  // namespace mc::apps
