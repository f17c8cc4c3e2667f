// SPDX-License-Identifier: Apache-2.0
// What a subcommand is: it declares its options once, and runs with everything wired.
//
// Completion and help come from the declarations. Ownership: a Command outlives the parser, which
// writes into its members; an Invocation borrows everything for one run. Threads: one.
// Errors: run() returns the error to print, or an exit code when what went wrong is printed
// already.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/terminal/output.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/engine.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mc::apps {

struct Invocation {
    const Config& config;
    Output& out;
    const telemetry::Logger& log;
    const Clock& clock;
    telemetry::Metrics& metrics;
    const std::atomic<bool>& interrupted;
    CLI::App& program;
};

class Command {
  public:
    virtual ~Command() = default;

    // Adds the subcommand to the program. Settings that this command alone uses go into `flags`.
    virtual CLI::App* define(CLI::App& program, ConfigLayer& flags) = 0;

    // Whether what was given works on the store of the settings: then its passphrase is asked for.
    virtual bool opens_store() const { return true; }

    // Called when this subcommand was given.
    virtual Result<int> run(Invocation& invocation) = 0;
};

std::unique_ptr<Command> make_ingest_command();
std::unique_ptr<Command> make_read_command();
std::unique_ptr<Command> make_gists_command();
std::unique_ptr<Command> make_query_command();
std::unique_ptr<Command> make_forget_command();
std::unique_ptr<Command> make_chat_command();
std::unique_ptr<Command> make_stream_command();
std::unique_ptr<Command> make_repl_command();
std::unique_ptr<Command> make_mcp_command();
std::unique_ptr<Command> make_serve_command();
std::unique_ptr<Command> make_inspect_command();
std::unique_ptr<Command> make_verify_command();
std::unique_ptr<Command> make_compact_command();
std::unique_ptr<Command> make_backup_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_repair_command();
std::unique_ptr<Command> make_bank_command();
std::unique_ptr<Command> make_key_command();
std::unique_ptr<Command> make_macro_command();
std::unique_ptr<Command> make_model_command();
std::unique_ptr<Command> make_eval_command();
std::unique_ptr<Command> make_train_command();
std::unique_ptr<Command> make_reindex_command();
std::unique_ptr<Command> make_completion_command();

// All of them, in the order of the help text.
std::vector<std::unique_ptr<Command>> make_commands();

// Declares a setting as a flag of a (sub)command; what is given lands in `flags`, checked later
// with the settings of every other source.
CLI::Option* add_setting_flag(CLI::App& app, ConfigLayer& flags, Setting setting);

// Opens the store of the settings; the run's metrics count what is done with it.
Result<std::unique_ptr<runtime::Engine>> open_engine(const Invocation& invocation,
                                                     runtime::Need need, runtime::Access access);

// Opens a bank's search with a progress bar, and logs what its index had to catch up with.
Result<void> open_search(const Invocation& invocation, runtime::BankSession& bank);

// The base model alone, without a store.
Result<std::unique_ptr<lm::BaseModel>> open_model(const Config& config);

}  // namespace mc::apps
