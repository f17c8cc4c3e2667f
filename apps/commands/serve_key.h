// SPDX-License-Identifier: Apache-2.0
// `megacontext serve key create|list|revoke`. Ownership, threads, errors: as Command.
#pragma once

#include <memory>

#include "apps/commands/parts.h"

namespace mc::apps {

std::unique_ptr<Command> make_serve_key_create();
std::unique_ptr<Command> make_serve_key_list();
std::unique_ptr<Command> make_serve_key_revoke();

}  // namespace mc::apps
