// SPDX-License-Identifier: Apache-2.0
// `eval run gist-probes`: where gists lose their text, and whether they use the room they have.
//
// Reads every window's tokens again behind its own gists and behind controls (repetition_probe.h),
// and measures the gists' geometry and the pooling queries (gistnet/probes/gist_probes.h).
// Definitions: docs/evaluation.md. Leaves tokens.jsonl (every likelihood), results.json, table.md,
// plots (SVG) and a TensorBoard event file in the output directory. A run that was killed starts
// over. Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a
// signal handler. Errors: as run_delta_nll (eval/delta_nll/delta_nll.h).
#pragma once

#include <atomic>

#include "core/result.h"
#include "eval/repetition/gist_probe_options.h"
#include "eval/report/suite_report.h"

namespace mc::lm {
class BaseModel;
}

namespace mc::eval {

// progress may be empty and cancelled null.
Result<SuiteReport> run_gist_probes(const lm::BaseModel& model, const GistProbeOptions& options,
                                    const SuiteProgressCallback& progress,
                                    const std::atomic<bool>* cancelled);

}  // namespace mc::eval
