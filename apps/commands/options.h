// SPDX-License-Identifier: Apache-2.0
// The options that every subcommand has, and how they become settings.
// Value type plus free functions. Threads: one. Errors: those of core/config.h.
#pragma once

#include <string>

#include "core/config.h"
#include "core/result.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mc::apps {

struct GlobalOptions {
    ConfigLayer flags;
    std::string config_file;
    bool json = false;
    bool log_json = false;
    bool no_color = false;
};

// They may stand before or after the subcommand.
void add_global_options(CLI::App& program, GlobalOptions& options);

// Flags, environment, files, defaults. --config FILE stands in for the project's and user's files.
Result<ResolvedConfig> resolve_settings(const GlobalOptions& options);

// Whether --json stands among the arguments: known before parsing, so that a wrong command line is
// reported in the right form too.
bool asks_for_json(int argument_count, const char* const* arguments);

}  // namespace mc::apps
