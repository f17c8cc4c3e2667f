// SPDX-License-Identifier: Apache-2.0
// `eval run delta-nll`: how much of the next tokens' likelihood gists recover, against controls.
//
// Cuts every document into windows [context][horizon], lets the model read the context raw, as
// gists and in control conditions, and scores the horizon's tokens (docs/evaluation.md). Leaves
// tokens.jsonl (every likelihood), results.json, table.md and plots (SVG) in the output directory.
// A run that was killed goes on where it stopped and ends with the same files, byte for byte.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors (whole batches of windows stay in tokens.jsonl): kUsage for options that cannot
// be; kInvalidInput for a document that is missing or too short or was trained on, and for an
// output directory that holds a run of another configuration; kLocked when another run writes
// there; kCorruption for a damaged tokens.jsonl; kCancelled; kIo, kOutOfSpace, kModel.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/measure/metrics.h"
#include "eval/measure/scorer.h"
#include "eval/report/suite_report.h"

namespace mc::eval {

struct DeltaNllOptions {
    std::vector<Path> documents;
    Path output;  // a directory; made when missing
    std::uint32_t windows_per_document = 80;
    std::uint64_t seed = 1;
    std::uint32_t context_tokens = 256;  // a multiple of the block size
    std::uint32_t horizon_tokens = 96;
    // "name=encoder", or an encoder as gistnet::make_gist_encoder takes it, which then names
    // itself.
    std::vector<std::string> encoders = {"kv-mean", "kv-last"};
    // Of the store: fp16, int8, int4, pq (the program's own codebook), "name=file" (another
    // codebook). Each is measured on every encoder, a codebook on the one that it was trained for.
    std::vector<std::string> codecs = {"int8"};
    // 2: also gists of level 2, of a context of a multiple of 1,024 tokens. 3: gists of levels 3 to
    // 1 behind which the newest 64 tokens stand raw, of a context of a multiple of 32,768 tokens
    // and those 64, which the model need not be able to read.
    std::uint32_t levels = 1;
    std::uint32_t oracle_windows = 0;   // of each document; slow: some 2 s a window of 256 + 96
    std::vector<Path> train_documents;  // what the encoders were trained on
    std::string command_line;           // recorded in results.json as it is
};

inline constexpr std::uint32_t kWindowsPerDocumentMax = 1000;
// The gists of all windows of a document, and of one more document, are held at once: 740 MB for
// 1,000 windows of 256 tokens, the default model and two encoders.
inline constexpr std::uint64_t kGistBytesMax = 4ULL << 30;

struct DeltaNllReport : SuiteReport {
    std::vector<GroupMetrics> groups;  // one per document, then the pool when there are several
};

// Requires: the scorer has options.encoders, in their order. progress may be empty and cancelled
// null.
Result<DeltaNllReport> run_delta_nll(Scorer& scorer, const DeltaNllOptions& options,
                                     const SuiteProgressCallback& progress,
                                     const std::atomic<bool>* cancelled);

}  // namespace mc::eval
