// SPDX-License-Identifier: Apache-2.0
// Writes data.mdb anew without free pages, so that nothing stays in it of what was erased.
//
// A compacted copy is made beside it, synced, and renamed over it while no process has the store
// open; a kill leaves the old file or the new one. Requires: no transaction and no other thread
// uses the store meanwhile. Errors: kLocked while another process has the store open (known once
// the copy is made), kOutOfSpace and kIo, all with the old file in place.
#pragma once

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

Result<void> purge_data_file(StoreParts& parts);

}  // namespace mc::storage
