// SPDX-License-Identifier: Apache-2.0
// Settings as Python's arguments give them, resolved as the command line's are: arguments stand
// where flags do, then the environment, files and defaults (core/config.h).
// Free function. Threads: any, as getenv(). Errors: kUsage, also for a name that is no setting.
#pragma once

#include <map>
#include <string>

#include "core/config.h"
#include "core/result.h"

namespace mc::python {

// By key, as in a file: {"store": "notes", "threads": "2"}.
using SettingTexts = std::map<std::string, std::string>;

Result<Config> resolve_arguments(const SettingTexts& arguments);

}  // namespace mc::python
