// SPDX-License-Identifier: Apache-2.0
// Writes data.mdb anew without free pages, so that nothing stays in it of what was erased.
//
// A compacted copy is made beside it, synced, and renamed over it; a kill leaves the old file or
// the new one. Requires: no transaction and no other thread uses the store meanwhile. A process
// that opens the store for reading in the instant of the rename sees the old file until it closes.
// Errors: kLocked while other processes have the store open; kOutOfSpace and kIo with the old file
// in place.
#pragma once

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

Result<void> purge_data_file(StoreParts& parts);

}  // namespace mc::storage
