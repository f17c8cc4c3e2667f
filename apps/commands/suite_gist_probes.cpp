// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run gist-probes`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/gist_probes/gist_probes.h"
#include "eval/repetition/repetition_probe.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class GistProbesSuite final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer&) override {
        CLI::App* app = inputs_.define(
            run, "gist-probes", "Where gists lose their text, and whether they use their room");
        app->add_option("--windows", options_.windows_per_document, "windows of each document")
            ->check(CLI::Range(1U, eval::kWindowsPerDocumentMax).description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--encoders", options_.encoders,
                        "gist encoders to probe; name=encoder names one")
            ->delimiter(',')
            ->capture_default_str();
        return app;
    }

    // Opens the model, measures with a progress bar, and prints the table or its JSON.
    Result<int> run(Invocation& invocation) override {
        inputs_.give(options_, " --windows " + std::to_string(options_.windows_per_document) +
                                   " --encoders " + comma_list(options_.encoders));
        MC_ASSIGN(const auto model, open_model(invocation.config));
        const InterruptWatch watch;
        auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
        bar.begin(inputs_.suite());
        const auto progress = [&bar](const eval::SuiteProgress& state) {
            bar.update(
                state.windows_done * eval::kRepeatedTokens,
                static_cast<double>(state.windows_done) / static_cast<double>(state.windows_total));
        };
        MC_ASSIGN(const auto report,
                  eval::run_gist_probes(*model, options_, progress, &invocation.interrupted));
        bar.clear();
        print_suite(invocation.out, inputs_.suite(), report);
        return 0;
    }

  private:
    SuiteInputs inputs_;
    eval::GistProbeOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_gist_probes_suite() {
    return std::make_unique<GistProbesSuite>();
}

}  // namespace mc::apps
