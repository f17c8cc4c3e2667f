// SPDX-License-Identifier: Apache-2.0
// What a run of delta-nll writes about itself: its configuration as JSON, results.json, table.md.
// Pure. Value types.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/delta_nll/conditions.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/measure/document_plan.h"
#include "eval/measure/overlap.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// Everything that decides the numbers, and nothing else: equal configurations give equal logs.
std::string configuration_json(const DeltaNllOptions& options, const ScorerFacts& facts,
                               std::span<const Condition> conditions,
                               std::span<const NamedCodec> codecs,
                               std::span<const DocumentPlan> documents);

// What a run found, and what it is to be read against.
struct RunFindings {
    std::span<const Condition> conditions;
    std::span<const NamedCodec> codecs;
    GistShape gist_shape;
    std::span<const GroupMetrics> groups;
    const TrainingCheck& training;
};

// lm-eval's layout: results per task and "metric,filter" keys, here "Rs@32,kv-last".
std::string results_json(const std::string& configuration, const std::string& command_line,
                         const RunFindings& findings);

// Markdown, one section per group.
std::string results_table(const RunFindings& findings);

}  // namespace mc::eval
