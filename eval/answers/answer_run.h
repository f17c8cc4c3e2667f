// SPDX-License-Identifier: Apache-2.0
// `eval run answers`: what a reader answers with our working context, against the same reader with
// other prompts (docs/evaluation.md).
//
// Items come from seeds, memories from the user's documents with the items' facts in them. One
// memory of a family and length is ingested once, into a store in the output directory. Leaves
// items.jsonl (questions, candidates, where facts stand), answers.jsonl (one line a reading),
// results.json, table.md and plots; a killed run goes on where it stopped, and a finished one can
// be given more rows, lengths and families. Torch-free: works against the ports of answer_ports.h.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors: kUsage for options that cannot be; kInvalidInput for documents that are missing
// or too short, and for a directory of another run; kCancelled; those of the program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "eval/answers/answer_ports.h"
#include "eval/answers/answer_row.h"
#include "eval/measure/scorer.h"
#include "eval/report/suite_report.h"

namespace mc::eval {

struct AnswersOptions {
    std::vector<Path> documents;
    Path output;                                            // a directory; made when missing
    std::vector<std::string> families;                      // empty: all
    std::vector<std::uint64_t> lengths{1000, 4000, 16000};  // tokens of a memory
    std::vector<std::uint64_t> sentence_counts{100, 1000};  // documents, of family one-sentence
    std::size_t items = 16;                                 // of each family
    RowChoice rows;
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in results.json as it is
};

struct AnswersProgress {
    std::uint64_t readings_done = 0;
    std::uint64_t readings_total = 0;
};

using AnswersProgressCallback = std::function<void(const AnswersProgress&)>;

// facts: of the model and the encoder that the program's stores are made with.
Result<SuiteReport> run_answers(AnswerProgram& program, const ScorerFacts& facts,
                                const AnswersOptions& options,
                                const AnswersProgressCallback& progress,
                                const std::atomic<bool>* cancelled);

}  // namespace mc::eval
