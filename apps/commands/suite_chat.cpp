// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run chat`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "eval/chat/chat_suite.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class ChatSuiteCommand final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    SuiteInputs inputs_;
    eval::ChatSuiteOptions options_;
};

CLI::App* ChatSuiteCommand::define(CLI::App& run, ConfigLayer& flags) {
    CLI::App* app =
        inputs_.define(run, "chat", "Is a fact answered that was told long ago in a conversation?");
    app->add_option("--distances", options_.distances, "tokens between fact and question, rising")
        ->delimiter(',')
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app->add_option("--facts", options_.facts, "facts, and questions at each distance")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_setting_flag(*app, flags, Setting::kBudget);
    return app;
}

Result<int> ChatSuiteCommand::run(Invocation& invocation) {
    options_.budget = invocation.config.budget_entries;
    std::vector<std::string> distances;
    for (const std::uint64_t one : options_.distances) distances.push_back(std::to_string(one));
    inputs_.give(options_, " --distances " + comma_list(distances) + " --facts " +
                               std::to_string(options_.facts) + " --budget " +
                               std::to_string(options_.budget));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const auto progress = [&bar](std::uint64_t done, std::uint64_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const auto report, eval::run_chat_suite(invocation.config, invocation.metrics,
                                                      options_, progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_chat_suite() {
    return std::make_unique<ChatSuiteCommand>();
}

}  // namespace mc::apps
