// SPDX-License-Identifier: Apache-2.0
// The commands of several machines (docs/cluster.md). Ownership, threads, errors: as Command.
#pragma once

#include <memory>

#include "apps/commands/command.h"

namespace mc::apps {

std::unique_ptr<Command> make_cluster_command();
std::unique_ptr<Command> make_submit_command();
std::unique_ptr<Command> make_worker_command();

}  // namespace mc::apps
