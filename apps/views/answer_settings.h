// SPDX-License-Identifier: Apache-2.0
// How the base model writes an answer, as flags of a subcommand and as names for .set in the REPL.
// One table serves both. Free functions. Threads: one.
// Errors: kUsage naming the setting and what it takes.
#pragma once

#include <string_view>

#include "apps/terminal/output.h"
#include "core/result.h"
#include "runtime/focus_session.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mc::apps {

// --max-tokens, --temperature, --top-k and so on. What is given lands in options, whose values are
// the defaults until then.
void add_answer_flags(CLI::App& app, runtime::AnswerOptions& options);

// name without dashes, such as "top-p". "stop" adds a stop string, and empties the list when the
// value is empty.
Result<void> set_answer_setting(runtime::AnswerOptions& options, std::string_view name,
                                std::string_view value);

// Names and values, in the order of the help text.
Json answer_settings_json(const runtime::AnswerOptions& options);

}  // namespace mc::apps
