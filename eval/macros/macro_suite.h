// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run macro`: what do a few gists keep of an instruction?
//
// Each instruction (macro_items.h) becomes macros of 1, 2, 4 and 8 entries as `megacontext macro
// create` makes them; then messages that no macro was made with are read behind it in every row:
// full: the instruction · cached: the same with its keys and values in the cache already, for costs
// · none: nothing in its place · gistnet: the encoder's gists, no steps · macro-N · foreign-4: the
// macro of another instruction of the set. What counts is the NLL of the answer that the model
// itself writes greedily behind the full instruction, and what it writes behind a row. Leaves
// results.json, table.md, readings.jsonl and the store; a run that was killed goes on.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors: kUsage for an unknown set or counts out of range; kInvalidInput for an output
// folder of another configuration; kCancelled; those of runtime/macros.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "eval/report/suite_report.h"
#include "runtime/macros.h"
#include "telemetry/metrics.h"

namespace mc::eval {

struct MacroSuiteOptions {
    Path output;  // a directory; made when missing
    std::vector<std::string> sets{"seen", "unseen", "human"};
    std::size_t instructions = 2;  // of each set
    std::size_t messages = 3;      // of each instruction
    std::vector<std::uint32_t> entries{1, 2, 4, 8};
    std::uint32_t steps = runtime::kMacroSteps;
    std::uint32_t lessons = runtime::kMacroLessons;
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in results.json as it is
};

// Instructions and messages done, and in all.
using MacroSuiteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

Result<SuiteReport> run_macro_suite(const Config& config, telemetry::Metrics& metrics,
                                    const MacroSuiteOptions& options,
                                    const MacroSuiteProgress& progress,
                                    const std::atomic<bool>* cancelled);

}  // namespace mc::eval
