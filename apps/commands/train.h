// SPDX-License-Identifier: Apache-2.0
// The part of `megacontext train` that has a file of its own; it declares itself below `train`.
// Ownership, threads, errors: as Command.
#pragma once

#include <memory>

#include "apps/commands/command.h"

namespace mc::apps {

std::unique_ptr<Command> make_train_index_command();

}  // namespace mc::apps
