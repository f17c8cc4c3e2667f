// SPDX-License-Identifier: Apache-2.0
// The repetition probe: how well the model repeats a text that it sees as gists.
//
// After BOS and a window's gists the same 256 tokens stand again and are scored; so they are after
// BOS alone ("none"), after the raw tokens ("full") and after the gists of another window of the
// document ("shuffled-X"). What the own gists make likelier than foreign ones is what they hold of
// the text, token by token; no decoder is trained for it.
// Ownership: borrows everything for the call. Threads: one. Errors: kUsage for options that cannot
// be; kInvalidInput, kModel, kIo; kCancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "eval/measure/document_plan.h"
#include "eval/measure/metrics.h"
#include "eval/measure/score_log.h"
#include "eval/measure/scorer.h"
#include "eval/repetition/gist_probe_options.h"
#include "eval/report/suite_report.h"

namespace mc::eval {

inline constexpr std::uint32_t kRepeatedTokens = 256;  // of a window: eight blocks

struct RepetitionFindings {
    std::vector<DocumentScores> scores;    // horizon: the repeated tokens
    std::vector<std::vector<Gist>> gists;  // per encoder: of all windows of all documents
};

// Checks options and lays out windows; writes nothing.
Result<std::vector<DocumentPlan>> plan_repetition(const Scorer& scorer,
                                                  const GistProbeOptions& options);

// Requires: documents of plan_repetition; the scorer has options.encoders, in their order.
Result<RepetitionFindings> run_repetition(Scorer& scorer, const GistProbeOptions& options,
                                          std::span<const DocumentPlan> documents, ScoreLog& log,
                                          const SuiteProgressCallback& progress,
                                          const std::atomic<bool>* cancelled);

}  // namespace mc::eval
