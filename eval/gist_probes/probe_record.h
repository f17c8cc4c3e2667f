// SPDX-License-Identifier: Apache-2.0
// What a run of gist-probes writes about itself: its configuration as JSON, results.json, table.md.
// Pure.
#pragma once

#include <span>
#include <string>

#include "eval/gist_probes/gist_probes.h"
#include "eval/gist_probes/probe_figures.h"
#include "eval/measure/document_plan.h"

namespace mc::eval {

// Everything that decides the numbers.
std::string probe_configuration_json(const GistProbeOptions& options, const ScorerFacts& facts,
                                     std::span<const DocumentPlan> documents);

// lm-eval's layout, "Rs@first4,gistnet", then geometry and pooling by encoder and layer.
std::string probe_results_json(const std::string& configuration, const std::string& command_line,
                               const ProbeFindings& findings);

// Markdown: a section per group, then the gists' geometry and the pooling queries.
std::string probe_table(const ProbeFindings& findings);

}  // namespace mc::eval
