// SPDX-License-Identifier: Apache-2.0
// Walks every record of a store in one snapshot: checksums, sizes, and the rules between records.
// Threads: any. Errors: only what stops the walk; faults go to the callback.
#pragma once

#include <functional>

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

Result<VerifySummary> verify_store(const StoreParts& parts,
                                   const std::function<void(const RecordFault&)>& on_fault);

}  // namespace mc::storage
