// SPDX-License-Identifier: Apache-2.0
// `megacontext repl`: a session on a terminal, or a script.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/commands/command.h"
#include "apps/repl/line_reader.h"
#include "apps/repl/repl.h"
#include "apps/views/answer_settings.h"
#include "runtime/store_key.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext repl\n"
    "  megacontext repl -c .docs -c \"Who signed the treaty?\" -c .window\n"
    "  megacontext repl -f checks.mct --json\n"
    "With -c, -f or input from a pipe there is no prompt, and the first error ends the run with "
    "its\n"
    "exit code; the commands of -c run before the files of -f.";

class ReplSubcommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("repl", "Explore a store and ask questions");
        app->add_option("-c", lines_, "run this line (repeatable)")
            ->type_name("LINE")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        app->add_option("-f", files_, "run the lines of this file (repeatable)")
            ->type_name("FILE")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        add_setting_flag(*app, flags, Setting::kPolicy);
        add_setting_flag(*app, flags, Setting::kBudget);
        add_answer_flags(*app, answer_options_);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        Repl repl(invocation.config, answer_options_, invocation.metrics, invocation.out);
        MC_TRY(repl.open());
        if (!lines_.empty() || !files_.empty())
            MC_TRY(run_given(repl));
        else if (isatty(STDIN_FILENO) == 1)
            run_terminal(repl, invocation);
        else
            MC_TRY(run_pipe(repl));
        return 0;
    }

  private:
    Result<void> run_given(Repl& repl) const;
    static Result<void> run_pipe(Repl& repl);
    static void run_terminal(Repl& repl, Invocation& invocation);

    std::vector<std::string> lines_;
    std::vector<std::string> files_;
    runtime::AnswerOptions answer_options_;
};

Result<void> ReplSubcommand::run_given(Repl& repl) const {
    for (const std::string& line : lines_) {
        if (repl.wants_quit()) return {};
        MC_TRY(repl.execute(line));
    }
    for (const std::string& file : files_) {
        if (repl.wants_quit()) return {};
        MC_TRY(repl.execute_file(file));
    }
    return {};
}

Result<void> ReplSubcommand::run_pipe(Repl& repl) {
    for (std::string line; !repl.wants_quit() && std::getline(std::cin, line);)
        MC_TRY(repl.execute(line));
    return {};
}

void ReplSubcommand::run_terminal(Repl& repl, Invocation& invocation) {
    invocation.out.note("megacontext " MC_VERSION ", store " + invocation.config.store.string() +
                        "; .help lists the commands, anything else is a question");
    std::vector<std::string_view> words;
    for (const ReplCommand& command : repl_commands()) words.push_back(command.name);
    LineReader reader(runtime::has_key(invocation.config) ? "" : "history", std::move(words));
    while (!repl.wants_quit()) {
        const auto line = reader.read(repl.prompt());
        if (!line) return;
        if (const auto done = repl.execute(*line); !done) invocation.out.error(done.error());
        invocation.out.flush();
    }
}

}  // namespace

std::unique_ptr<Command> make_repl_command() {
    return std::make_unique<ReplSubcommand>();
}

}  // namespace mc::apps
