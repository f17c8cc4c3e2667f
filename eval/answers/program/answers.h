// SPDX-License-Identifier: Apache-2.0
// The suite `answers` on the program as a user has it (answer_run.h says what it does).
//
// Stores lie in OUTPUT/stores, one for each family and length, a bank for each memory. Threads:
// one; `cancelled` may be set from a signal handler. Errors: those of answer_run.h and of the
// engine.
#pragma once

#include "core/config.h"
#include "eval/answers/answer_run.h"
#include "telemetry/metrics.h"

namespace mc::eval {

// config: model, device, encoder and codec of the stores; its store is not touched.
// metrics: count what is ingested and asked.
Result<SuiteReport> run_answers(const Config& config, telemetry::Metrics& metrics,
                                const AnswersOptions& options,
                                const AnswersProgressCallback& progress,
                                const std::atomic<bool>* cancelled);

}  // namespace mc::eval
