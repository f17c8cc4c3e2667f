// SPDX-License-Identifier: Apache-2.0
// `eval run retrieval`: how often search finds the right block among all blocks of some documents.
//
// Questions are made from blocks by rules: next (the 32 to 64 tokens that follow the block),
// fragment (8 tokens from inside), question (its rare words, some by a synonym, in question form).
// Systems: BM25 as the product's text index has it, trained index vectors, untrained ones when
// asked for, vectors of other programs from files, and fusions of 64 candidates each, as a query
// fuses them (docs/evaluation.md). Leaves texts.json (for other programs), ranks.jsonl,
// results.json and table.md in the output directory, and the vectors read so far in vectors/: a run
// that was killed, or is given again with more --vectors, reads only what is missing.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors: kUsage for options that cannot be; kInvalidInput for documents that are missing
// or too short and for vectors that were made for other texts; kCancelled; kIo, kOutOfSpace,
// kModel.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/report/suite_report.h"

namespace mc::lm {
class BaseModel;
}

namespace mc::eval {

struct RetrievalOptions {
    std::vector<Path> documents;
    Path output;                       // a directory; made when missing
    std::uint32_t queries = 500;       // of each kind
    std::string index = "auto";        // the trained index: as gistnet::GistEncoderOptions::index
    bool untrained = false;            // also the untrained index: slow, the whole model reads
    std::vector<std::string> vectors;  // "NAME=FILE": safetensors with blocks and queries
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in results.json as it is
};

struct RetrievalProgress {
    std::uint64_t blocks_done = 0;
    std::uint64_t blocks_total = 0;
};

using RetrievalProgressCallback = std::function<void(const RetrievalProgress&)>;

// progress may be empty and cancelled null.
Result<SuiteReport> run_retrieval(const lm::BaseModel& model, const RetrievalOptions& options,
                                  const RetrievalProgressCallback& progress,
                                  const std::atomic<bool>* cancelled);

}  // namespace mc::eval
