// SPDX-License-Identifier: Apache-2.0
// `eval run gist-probes`: where gists lose their text, and whether they use the room they have.
//
// Reads every window's tokens again behind its own gists and behind controls (repetition_probe.h),
// and measures the gists' geometry and the pooling queries (gistnet/gist_probes.h). Definitions:
// docs/evaluation.md. Leaves tokens.jsonl (every likelihood), results.json, table.md, plots (SVG)
// and a TensorBoard event file in the output directory. A run that was killed starts over.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors: as run_delta_nll (eval/delta_nll.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/suite_report.h"

namespace mc::lm {
class BaseModel;
}

namespace mc::eval {

struct GistProbeOptions {
    std::vector<Path> documents;
    Path output;  // a directory; made when missing
    std::uint32_t windows_per_document = 80;
    std::uint64_t seed = 1;
    std::vector<std::string> encoders = {"kv-mean", "kv-last"};  // as DeltaNllOptions::encoders
    std::string command_line;  // recorded in results.json as it is
};

// progress may be empty and cancelled null.
Result<SuiteReport> run_gist_probes(const lm::BaseModel& model, const GistProbeOptions& options,
                                    const SuiteProgressCallback& progress,
                                    const std::atomic<bool>* cancelled);

}  // namespace mc::eval
