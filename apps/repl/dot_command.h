// SPDX-License-Identifier: Apache-2.0
// What a typed dot-command is given, for the session and for a conversation in it. Pure.
// Errors: kUsage for arguments that the command does not take, or lacks.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace mc::apps {

// What stands behind the name in a line that begins with it. takes: as .help shows it: "" for
// nothing, "[NAME]" for what may be left out.
Result<std::string> command_arguments(std::string_view name, std::string_view takes,
                                      std::string_view line);

}  // namespace mc::apps
