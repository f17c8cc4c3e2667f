// SPDX-License-Identifier: Apache-2.0
// The parts of a subcommand that has some: `megacontext model info`, `megacontext eval run
// retrieval`. Ownership, threads, errors: as Command.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "apps/commands/command.h"

namespace mc::apps {

class CommandParts {
  public:
    // Lets the part declare itself below app, which then asks for one of its parts.
    void add(CLI::App& app, ConfigLayer& flags, std::unique_ptr<Command> part);

    // Runs the part that was given.
    Result<int> run(Invocation& invocation);

  private:
    std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> parts_;
};

}  // namespace mc::apps
