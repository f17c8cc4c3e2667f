// SPDX-License-Identifier: Apache-2.0
// Makes what LensNet is trained on: what showing a question's candidates does to its reader.
//
// Questions and memories are those of the suite `answers` (answer_run.h), from the user's documents
// and a seed. For each question the reader is shown nothing, each candidate alone and random
// subsets, in the order told, and is asked for ln p(right answer); ridge regression turns that into
// a gain a candidate. Each candidate's gists are read alone too. Leaves
// OUTPUT/labels.jsonl, one line a question; a killed run goes on where it stopped. Threads: one;
// `cancelled` may be set from a signal handler. Errors: as run_answers(). Cost: two dozen short
// readings a question.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "telemetry/metrics.h"

namespace mc::eval {

struct LabelOptions {
    std::vector<Path> documents;
    Path output;  // a directory; made when missing
    std::vector<std::string> families{"single-fact", "people", "absent", "cloze"};
    std::vector<std::uint64_t> lengths{1000, 4000};  // tokens of a memory
    std::size_t items = 100;                         // of each family
    std::size_t subsets = 12;                        // random ones a question
    std::uint64_t seed = 1;
};

struct LabelProgress {
    std::uint64_t questions_done = 0;
    std::uint64_t questions_total = 0;
};

using LabelProgressCallback = std::function<void(const LabelProgress&)>;

struct LabelReport {
    Path labels;
    std::uint64_t questions = 0;
    std::uint64_t readings = 0;
    double mean_reliability = 0;  // of questions whose answer the memory has
};

// config: model, device, encoder and codec of the stores; its store is not touched.
Result<LabelReport> make_labels(const Config& config, telemetry::Metrics& metrics,
                                const LabelOptions& options, const LabelProgressCallback& progress,
                                const std::atomic<bool>* cancelled);

}  // namespace mc::eval
