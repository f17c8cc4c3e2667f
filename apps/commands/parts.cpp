// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/parts.h"

#include <CLI/CLI.hpp>

#include "core/check.h"

namespace mc::apps {

void CommandParts::add(CLI::App& app, ConfigLayer& flags, std::unique_ptr<Command> part) {
    app.require_subcommand(1);
    CLI::App* declared = part->define(app, flags);
    parts_.emplace_back(declared, std::move(part));
}

Result<int> CommandParts::run(Invocation& invocation) {
    for (const auto& [app, part] : parts_)
        if (app->parsed()) return part->run(invocation);
    MC_CHECK(false, "the parser asks for one part");
    return 0;
}

}  // namespace mc::apps
