// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run retrieval`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "core/span_math.h"
#include "eval/retrieval/retrieval.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class RetrievalSuite final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    std::string own_options() const;

    SuiteInputs inputs_;
    eval::RetrievalOptions options_;
};

CLI::App* RetrievalSuite::define(CLI::App& run, ConfigLayer&) {
    CLI::App* app = inputs_.define(run, "retrieval", "How often search finds the right block");
    app->add_option("--queries", options_.queries, "questions of each kind")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--index", options_.index, "trained projection; auto is the program's own")
        ->type_name("FILE")
        ->capture_default_str();
    app->add_flag("--untrained", options_.untrained, "also the untrained index vectors (slow)");
    app->add_option("--vectors", options_.vectors,
                    "another program's vectors of the texts in texts.json")
        ->type_name("NAME=FILE…");
    return app;
}

std::string RetrievalSuite::own_options() const {
    return " --queries " + std::to_string(options_.queries) + " --index " +
           shell_word(options_.index) + (options_.untrained ? " --untrained" : "") +
           flag_words("--vectors", options_.vectors);
}

Result<int> RetrievalSuite::run(Invocation& invocation) {
    inputs_.give(options_, own_options());
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const auto progress = [&bar](const eval::RetrievalProgress& state) {
        bar.update(state.blocks_done * kBlockSize, static_cast<double>(state.blocks_done) /
                                                       static_cast<double>(state.blocks_total));
    };
    MC_ASSIGN(const auto report,
              eval::run_retrieval(*model, options_, progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_retrieval_suite() {
    return std::make_unique<RetrievalSuite>();
}

}  // namespace mc::apps
