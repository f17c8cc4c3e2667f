// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run chat`: is a fact answered that was told long ago in a conversation?
//
// One conversation: the facts of family single-fact first, a turn each, then turns of the user's
// documents. At each distance every question is asked, as the user would ask it then and there, of
// the same reader with different prompts; no question is kept, so none sees another. Rows:
// nothing · fact: the fact's turn and the question · chat: what `megacontext chat` reads · window:
// the newest turns alone in as many entries · whole: all of the conversation, where the model can
// hold it. Distances are tokens between the last fact and the question. Leaves results.json,
// table.md and readings.jsonl. Ownership: borrows everything for the call. Threads: one;
// `cancelled` may be set from a signal handler. Errors: kInvalidInput for documents that are
// missing or too short, and for an output folder that holds a conversation already; kCancelled;
// those of the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "eval/chat/chat_report.h"
#include "eval/report/suite_report.h"
#include "telemetry/metrics.h"

namespace mc::eval {

struct ChatSuiteOptions {
    std::vector<Path> documents;
    Path output;                                        // a directory; made when missing
    std::vector<std::uint64_t> distances{2000, 16000};  // ascending
    std::size_t facts = 24;
    std::uint64_t budget = 1024;  // entries of a prompt
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in results.json as it is
};

// Readings done and in all.
using ChatSuiteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

Result<SuiteReport> run_chat_suite(const Config& config, telemetry::Metrics& metrics,
                                   const ChatSuiteOptions& options,
                                   const ChatSuiteProgress& progress,
                                   const std::atomic<bool>* cancelled);

}  // namespace mc::eval
