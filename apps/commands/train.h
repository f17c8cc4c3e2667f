// SPDX-License-Identifier: Apache-2.0
// The parts of `megacontext train` that have files of their own; they declare themselves below it.
// Ownership, threads, errors: as Command.
#pragma once

#include <memory>

#include "apps/commands/command.h"

namespace mc::apps {

std::unique_ptr<Command> make_train_index_command();
std::unique_ptr<Command> make_train_labels_command();
std::unique_ptr<Command> make_train_lensnet_command();

}  // namespace mc::apps
