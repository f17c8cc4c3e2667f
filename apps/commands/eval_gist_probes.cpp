// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/eval_gist_probes.h"

#include "apps/commands/suite_output.h"
#include "apps/terminal/interrupt.h"
#include "eval/repetition/repetition_probe.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {

Result<int> eval_gist_probes(Invocation& invocation, const eval::GistProbeOptions& options) {
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("gist-probes");
    const auto progress = [&bar](const eval::SuiteProgress& state) {
        bar.update(
            state.windows_done * eval::kRepeatedTokens,
            static_cast<double>(state.windows_done) / static_cast<double>(state.windows_total));
    };
    MC_ASSIGN(const auto report,
              eval::run_gist_probes(*model, options, progress, &invocation.interrupted));
    bar.clear();
    print_suite(invocation.out, "gist-probes", report);
    return 0;
}

}  // namespace mc::apps
