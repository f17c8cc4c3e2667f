// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run delta-nll`.
#include <CLI/CLI.hpp>

#include "apps/commands/suites.h"
#include "apps/terminal/interrupt.h"
#include "eval/base_model/base_model_scorer.h"
#include "eval/delta_nll/delta_nll.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

class DeltaNllSuite final : public Command {
  public:
    CLI::App* define(CLI::App& run, ConfigLayer& flags) override;
    Result<int> run(Invocation& invocation) override;

  private:
    std::string own_options() const;

    SuiteInputs inputs_;
    std::vector<std::string> train_documents_;
    eval::DeltaNllOptions options_;
};

CLI::App* DeltaNllSuite::define(CLI::App& run, ConfigLayer&) {
    CLI::App* app =
        inputs_.define(run, "delta-nll",
                       "How much of the next tokens' likelihood gists recover, against controls");
    app->add_option("--windows", options_.windows_per_document, "windows of each document")
        ->check(CLI::Range(1U, eval::kWindowsPerDocumentMax).description(""))
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--context", options_.context_tokens, "tokens that become gists")
        ->capture_default_str();
    app->add_option("--horizon", options_.horizon_tokens, "tokens that are scored")
        ->capture_default_str();
    app->add_option("--encoders", options_.encoders,
                    "gist encoders to measure; name=encoder names one")
        ->delimiter(',')
        ->capture_default_str();
    app->add_option("--codecs", options_.codecs, "codecs to measure on every encoder")
        ->delimiter(',')
        ->capture_default_str();
    app->add_option("--levels", options_.levels,
                    "2: also gists of level 2; 3: gists of level 3 and below")
        ->check(CLI::Range(1U, 3U).description(""))
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--oracle", options_.oracle_windows,
                    "windows of each document whose gists are optimised, as a ceiling")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--train-docs", train_documents_,
                    "what the encoders were trained on; measuring on it is refused")
        ->type_name("FILE…");
    return app;
}

std::string DeltaNllSuite::own_options() const {
    return " --windows " + std::to_string(options_.windows_per_document) + " --context " +
           std::to_string(options_.context_tokens) + " --horizon " +
           std::to_string(options_.horizon_tokens) + " --encoders " +
           comma_list(options_.encoders) + " --codecs " + comma_list(options_.codecs) +
           " --levels " + std::to_string(options_.levels) + " --oracle " +
           std::to_string(options_.oracle_windows) + flag_words("--train-docs", train_documents_);
}

Result<int> DeltaNllSuite::run(Invocation& invocation) {
    options_.train_documents.assign(train_documents_.begin(), train_documents_.end());
    inputs_.give(options_, own_options());
    MC_ASSIGN(const auto model, open_model(invocation.config));
    MC_ASSIGN(const auto scorer, eval::BaseModelScorer::make(*model, options_.encoders));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin(inputs_.suite());
    const std::uint64_t window_tokens = options_.context_tokens + options_.horizon_tokens;
    const auto progress = [&bar, window_tokens](const eval::SuiteProgress& state) {
        const auto total = static_cast<double>(state.windows_total);
        bar.update(state.windows_done * window_tokens,
                   total > 0 ? static_cast<double>(state.windows_done) / total : 1.0);
    };
    MC_ASSIGN(const auto report,
              eval::run_delta_nll(*scorer, options_, progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, inputs_.suite(), report);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_delta_nll_suite() {
    return std::make_unique<DeltaNllSuite>();
}

}  // namespace mc::apps
