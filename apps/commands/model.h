// SPDX-License-Identifier: Apache-2.0
// The parts of `megacontext model`, one file each; they declare themselves below `model`.
// Ownership, threads, errors: as Command.
#pragma once

#include <memory>

#include "apps/commands/command.h"

namespace mc::apps {

std::unique_ptr<Command> make_model_info_command();
std::unique_ptr<Command> make_model_verify_command();
std::unique_ptr<Command> make_model_score_command();
std::unique_ptr<Command> make_model_fetch_command();
std::unique_ptr<Command> make_model_bench_command();

}  // namespace mc::apps
