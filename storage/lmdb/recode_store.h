// SPDX-License-Identifier: Apache-2.0
// A copy of a store's records, as of one commit, that is encrypted where the store is not, with
// another key, or not at all.
// Threads: one. Errors: as LmdbEnv and unseal_store(); kCorruption for a record whose seal is
// broken; what is at the destination then is of no use.
#pragma once

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_key.h"

namespace mc::storage {

// What opens the store and what shall open the copy; null: not encrypted.
struct Recoding {
    const StoreKey* from = nullptr;
    const StoreKey* to = nullptr;
};

// Makes data.mdb in a folder that has none, synced. Cost: reads and writes all that is stored.
Result<void> recode_store(const Path& directory, const Path& destination, const Recoding& keys);

}  // namespace mc::storage
