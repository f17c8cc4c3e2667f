// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run stream`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "eval/stream/stream_suite.h"
#include "gistnet/base_model_gist_encoder.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class StreamSuiteCommand final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    SuiteInputs inputs_;
    eval::StreamSuiteOptions options_;
};

CLI::App* StreamSuiteCommand::define(CLI::App& run, ConfigLayer& flags) {
    CLI::App* app = inputs_.define(
        run, "stream", "How well is a text of any length read behind a window of bounded size?");
    app->add_option("--budgets", options_.budgets, "entries of the window")
        ->delimiter(',')
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app->add_option("--rows", options_.rows, "of gists, recent, anew, whole")
        ->delimiter(',')
        ->capture_default_str();
    app->add_option("--tokens", options_.tokens, "of each document, at most")
        ->type_name("N")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    add_setting_flag(*app, flags, Setting::kEncoder);
    return app;
}

Result<int> StreamSuiteCommand::run(Invocation& invocation) {
    std::vector<std::string> budgets;
    for (const std::uint64_t one : options_.budgets) budgets.push_back(std::to_string(one));
    inputs_.give(options_, " --budgets " + comma_list(budgets) + " --rows " +
                               comma_list(options_.rows) + " --tokens " +
                               std::to_string(options_.tokens));
    MC_ASSIGN(const auto model, open_model(invocation.config));
    MC_ASSIGN(const auto encoder,
              gistnet::make_gist_encoder(*model, {invocation.config.encoder, 0, "none"}));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const auto progress = [&bar](std::uint64_t done, std::uint64_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const auto report,
              eval::run_stream_suite(*model, *encoder, invocation.clock, options_, progress,
                                     &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_stream_suite() {
    return std::make_unique<StreamSuiteCommand>();
}

}  // namespace mc::apps
