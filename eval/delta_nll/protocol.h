// SPDX-License-Identifier: Apache-2.0
// delta-nll's protocol against the Scorer port: plan, score what the log lacks, measure, report.
//
// Knows no torch. Ownership: borrows the scorer for the call. Threads: one. Errors: those of
// run_delta_nll (eval/delta_nll/delta_nll.h).
#pragma once

#include <vector>

#include "eval/delta_nll/conditions.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/delta_nll/run_record.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// Windows that are encoded and scored together and reach the log together. Part of the protocol:
// a model computes in batches, and its rounding may depend on them.
inline constexpr std::size_t kBatchWindows = 8;

struct Protocol {
    DeltaNllOptions options;
    std::vector<NamedCodec> codecs;
    std::vector<Condition> conditions;
    std::vector<DocumentPlan> documents;
    TrainingCheck training;
};

Result<Protocol> plan_protocol(const Scorer& scorer, const DeltaNllOptions& options);

}  // namespace mc::eval
