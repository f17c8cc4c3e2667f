// SPDX-License-Identifier: Apache-2.0
// A backup of the store that the settings name (storage/backup.h), looked at before it is kept.
//
// Ownership: the engine that `check` is handed is gone when it returns. Requires: no engine is open
// on the store in this process. Threads: one. Errors: as storage/backup.h.
#pragma once

#include <functional>

#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "runtime/engine.h"

namespace mc::runtime {

// What becomes of the encryption.
enum class CopyKind {
    kAsItIs,
    kEncrypted,     // with the key of the settings; the store is not encrypted
    kNotEncrypted,  // the key of the settings opens the store
};

// check: is handed the finished copy, open for reading without a model, before it is moved to the
// destination; an error of it ends the backup. Errors: kUsage for kinds that need a key where the
// settings name none.
Result<void> back_up(const Config& config, const Path& destination, CopyKind kind,
                     telemetry::Metrics& metrics,
                     const std::function<Result<void>(Engine& copy)>& check);

}  // namespace mc::runtime
