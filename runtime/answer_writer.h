// SPDX-License-Identifier: Apache-2.0
// Lets the base model write on from a prompt, and ends what it writes where an answer ends.
//
// Ownership: borrows the engine for the call. Threads: one. Errors: those of reading the prompt and
// of generating.
#pragma once

#include <span>

#include "core/result.h"
#include "lm/base_model.h"
#include "runtime/engine.h"
#include "runtime/focus_session.h"

namespace mc::runtime {

// The answer without its sources, which the caller knows. Counted in the engine's metrics. Of what
// options.on_text gets nothing is taken back, and together it is all the answer.
Result<Answer> write_answer(Engine& engine, std::span<const lm::Segment> prompt,
                            const AnswerOptions& options);

}  // namespace mc::runtime
