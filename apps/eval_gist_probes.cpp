// SPDX-License-Identifier: Apache-2.0
#include "apps/eval_gist_probes.h"

#include <nlohmann/json.hpp>

#include "apps/interrupt.h"
#include "eval/repetition_probe.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {

Result<int> eval_gist_probes(Invocation& invocation, const eval::GistProbeOptions& options) {
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("gist-probes");
    const auto progress = [&bar](const eval::GistProbeProgress& state) {
        bar.update(
            state.windows_done * eval::kRepeatedTokens,
            static_cast<double>(state.windows_done) / static_cast<double>(state.windows_total));
    };
    MC_ASSIGN(const auto report,
              eval::run_gist_probes(*model, options, progress, &invocation.interrupted));
    bar.clear();
    Output& out = invocation.out;
    if (out.json()) {
        Json plots = Json::array();
        for (const Path& path : report.plot_paths) plots.push_back(path.string());
        out.json({{"suite", "gist-probes"},
                  {"results_path", report.results_path.string()},
                  {"table_path", report.table_path.string()},
                  {"tokens_path", report.tokens_path.string()},
                  {"plot_paths", std::move(plots)},
                  {"results", Json::parse(report.results_json, nullptr, false)}});
        return 0;
    }
    out.raw(report.table);
    out.text("");
    out.text("results  " + report.results_path.string());
    out.text("tokens   " + report.tokens_path.string());
    return 0;
}

}  // namespace mc::apps
