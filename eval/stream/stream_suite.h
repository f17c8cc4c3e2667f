// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run stream`: how well a text of any length is read behind a window of bounded
// size.
//
// Each document is one stream. Rows, of the same tokens: gists: runtime::StreamReader, old text as
// gists · recent: a sliding raw window with a sink, of as many entries · anew: the exact sliding
// window, read anew for every sixteenth block, which alone counts · whole: a sliding raw window as
// long as the model reads. Tokens count once every row has lost text: from the model's context
// length on. Leaves results.json, table.md, nll.svg and stream.jsonl; a run that was killed goes on
// with the document and row in which it stopped. Ownership: borrows everything for the call.
// Threads: one; `cancelled` may be set from a signal handler. Errors: kUsage for an unknown row;
// kInvalidInput for documents that are missing or too short, and for an output folder of another
// configuration; kCancelled; those of StreamReader and LineLog.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/result.h"
#include "eval/report/suite_report.h"
#include "lm/base_model.h"
#include "tree/gist_encoder.h"

namespace mc::eval {

struct StreamSuiteOptions {
    std::vector<Path> documents;
    Path output;  // a directory; made when missing
    std::vector<std::uint64_t> budgets{512};
    std::vector<std::string> rows{"gists", "recent", "anew", "whole"};
    std::uint64_t tokens = 65536;  // of each document, at most
    std::uint64_t seed = 1;        // of intervals
    std::string command_line;      // recorded in results.json as it is
};

// Tokens read and in all, of all rows.
using StreamSuiteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

Result<SuiteReport> run_stream_suite(const lm::BaseModel& model, GistEncoder& encoder,
                                     const Clock& clock, const StreamSuiteOptions& options,
                                     const StreamSuiteProgress& progress,
                                     const std::atomic<bool>* cancelled);

}  // namespace mc::eval
