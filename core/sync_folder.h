// SPDX-License-Identifier: Apache-2.0
// Threads: free. Errors: those of system_error() (core/files.h).
#pragma once

#include "core/files.h"
#include "core/result.h"

namespace mc {

// What was made, renamed or removed in the folder is durable.
Result<void> sync_folder(const Path& folder);

}  // namespace mc
