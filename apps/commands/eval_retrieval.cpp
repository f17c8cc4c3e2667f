// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/eval.h"
#include "apps/terminal/interrupt.h"
#include "core/span_math.h"
#include "lm/base_model.h"
#include "telemetry/progress.h"

namespace mc::apps {

std::vector<CLI::Option*> RetrievalSuite::define(CLI::App& run) {
    return {run.add_option("--queries", options_.queries, "retrieval: questions of each kind")
                ->type_name("N")
                ->capture_default_str(),
            run.add_option("--index", options_.index,
                           "retrieval: trained projection; auto is the program's own")
                ->type_name("FILE")
                ->capture_default_str(),
            run.add_flag("--untrained", options_.untrained,
                         "retrieval: also the untrained index vectors (slow)"),
            run.add_option("--vectors", options_.vectors,
                           "retrieval: another program's vectors of the texts in texts.json")
                ->type_name("NAME=FILE…")};
}

// The same for every way of giving the same options.
std::string RetrievalSuite::command_line(const std::vector<std::string>& documents) const {
    std::string line = "megacontext eval run retrieval --docs";
    for (const std::string& document : documents) line += " " + shell_word(document);
    line +=
        " --queries " + std::to_string(options_.queries) + " --index " + shell_word(options_.index);
    if (options_.untrained) line += " --untrained";
    if (!options_.vectors.empty()) line += " --vectors";
    for (const std::string& vectors : options_.vectors) line += " " + shell_word(vectors);
    return line + " --seed " + std::to_string(options_.seed);
}

Result<int> RetrievalSuite::run(Invocation& invocation, const std::vector<std::string>& documents,
                                const std::string& output, std::uint64_t seed) {
    options_.documents.assign(documents.begin(), documents.end());
    options_.output = output;
    options_.seed = seed;
    options_.command_line = command_line(documents);
    MC_ASSIGN(const auto model, open_model(invocation.config));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("retrieval");
    const auto progress = [&bar](const eval::RetrievalProgress& state) {
        bar.update(state.blocks_done * kBlockSize, static_cast<double>(state.blocks_done) /
                                                       static_cast<double>(state.blocks_total));
    };
    MC_ASSIGN(const auto report,
              eval::run_retrieval(*model, options_, progress, &invocation.interrupted));
    bar.clear();
    Output& out = invocation.out;
    if (out.json()) {
        out.json({{"suite", "retrieval"},
                  {"results_path", report.results_path.string()},
                  {"table_path", report.table_path.string()},
                  {"texts_path", report.texts_path.string()},
                  {"results", Json::parse(report.results_json, nullptr, false)}});
        return 0;
    }
    out.raw(report.table);
    out.text("");
    out.text("results  " + report.results_path.string());
    out.text("texts    " + report.texts_path.string());
    return 0;
}

}  // namespace mc::apps
