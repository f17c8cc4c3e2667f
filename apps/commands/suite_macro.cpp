// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run macro`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "eval/macros/macro_suite.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class MacroSuiteCommand final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    SuiteInputs inputs_;
    eval::MacroSuiteOptions options_;
};

CLI::App* MacroSuiteCommand::define(CLI::App& run, ConfigLayer&) {
    CLI::App* app =
        inputs_.define(run, "macro", "What do a few gists keep of an instruction?", false);
    app->add_option("--sets", options_.sets, "seen, unseen, human")
        ->delimiter(',')
        ->capture_default_str();
    app->add_option("--instructions", options_.instructions, "of each set")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--messages", options_.messages, "read behind each instruction")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--gists", options_.entries, "entries of macros")
        ->delimiter(',')
        ->check(CLI::Range(1U, runtime::kMacroEntriesMax).description(""))
        ->capture_default_str();
    app->add_option("--lessons", options_.lessons, "that each macro is fitted to")
        ->type_name("N")
        ->check(CLI::Range(1U, runtime::kMacroLessonsMax).description(""))
        ->capture_default_str();
    app->add_option("--steps", options_.steps, "steps of descent on each macro")
        ->type_name("N")
        ->check(CLI::Range(0U, runtime::kMacroStepsMax).description(""))
        ->capture_default_str();
    return app;
}

Result<int> MacroSuiteCommand::run(Invocation& invocation) {
    std::vector<std::string> entries;
    for (const std::uint32_t one : options_.entries) entries.push_back(std::to_string(one));
    inputs_.give(options_, " --sets " + comma_list(options_.sets) + " --instructions " +
                               std::to_string(options_.instructions) + " --messages " +
                               std::to_string(options_.messages) + " --gists " +
                               comma_list(entries) + " --lessons " +
                               std::to_string(options_.lessons) + " --steps " +
                               std::to_string(options_.steps));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const auto progress = [&bar](std::uint64_t done, std::uint64_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const auto report,
              eval::run_macro_suite(invocation.config, invocation.metrics, options_, progress,
                                    &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_macro_suite() {
    return std::make_unique<MacroSuiteCommand>();
}

}  // namespace mc::apps
