// SPDX-License-Identifier: Apache-2.0
#include "eval/gist_probes/gist_probes.h"

#include <filesystem>
#include <system_error>

#include "eval/base_model/base_model_scorer.h"
#include "eval/gist_probes/probe_figures.h"
#include "eval/gist_probes/probe_record.h"
#include "eval/measure/encoder_name.h"
#include "eval/repetition/repetition_probe.h"

namespace mc::eval {

namespace {

Result<std::vector<EncoderGeometry>> geometry_of(const GistProbeOptions& options,
                                                 const ScorerFacts& facts,
                                                 std::span<const std::vector<Gist>> gists) {
    std::vector<EncoderGeometry> all;
    for (std::size_t e = 0; e < gists.size(); ++e) {
        MC_ASSIGN(auto layers, gistnet::measure_geometry(gists[e], facts.gist_shape));
        all.push_back({encoder_label(options.encoders[e]), gists[e].size(), std::move(layers)});
    }
    return all;
}

Result<std::vector<EncoderPooling>> pooling_of(const lm::BaseModel& model,
                                               const GistProbeOptions& options,
                                               std::span<const DocumentPlan> documents,
                                               const std::atomic<bool>* cancelled) {
    std::vector<ReadWindow> windows;
    for (const DocumentPlan& document : documents)
        for (const std::vector<TokenId>& tokens : document.windows) windows.push_back({tokens, 0});
    std::vector<EncoderPooling> all;
    for (const std::string& encoder : options.encoders) {
        MC_ASSIGN(auto layers,
                  gistnet::measure_pooling(model, encoder_source(encoder), windows, cancelled));
        if (layers) all.push_back({encoder_label(encoder), std::move(*layers)});
    }
    return all;
}

Result<SuiteReport> write_report(const GistProbeOptions& options, const std::string& configuration,
                                 const ProbeFindings& findings) {
    const std::vector<Figure> figures = probe_figures(findings);
    std::vector<Plot> plots;
    for (const Figure& figure : figures)
        plots.push_back({figure.name + ".svg", draw_curves(figure.curves, figure.axes)});
    MC_TRY(telemetry::write_tensorboard(options.output, figure_scalars(figures)));
    return write_suite_report(options.output / "tokens.jsonl", probe_table(findings),
                              probe_results_json(configuration, options.command_line, findings),
                              plots);
}

}  // namespace

Result<SuiteReport> run_gist_probes(const lm::BaseModel& model, const GistProbeOptions& options,
                                    const SuiteProgressCallback& progress,
                                    const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const auto scorer, BaseModelScorer::make(model, options.encoders));
    MC_ASSIGN(const auto documents, plan_repetition(*scorer, options));
    const std::string configuration = probe_configuration_json(options, scorer->facts(), documents);
    std::error_code error;
    std::filesystem::create_directories(options.output, error);
    if (error) return fail(system_error(error.value(), "cannot create", options.output));
    MC_ASSIGN(const auto log, ScoreLog::open(options.output / "tokens.jsonl", configuration));
    MC_TRY(log->keep(0));
    MC_ASSIGN(const RepetitionFindings repetition,
              run_repetition(*scorer, options, documents, *log, progress, cancelled));
    ProbeFindings findings;
    findings.groups = repetition_metrics(repetition.scores, options.seed);
    MC_ASSIGN(findings.geometry, geometry_of(options, scorer->facts(), repetition.gists));
    MC_ASSIGN(findings.pooling, pooling_of(model, options, documents, cancelled));
    return write_report(options, configuration, findings);
}

}  // namespace mc::eval
