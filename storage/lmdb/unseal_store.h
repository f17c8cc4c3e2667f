// SPDX-License-Identifier: Apache-2.0
// The key header of an encrypted store: the record meta/seal, which lies in clear.
// Ownership: an environment borrows the seal. Threads: one. Errors: as storage/seal/key_header.h;
// kKey also for a key that was given for a store that is not encrypted; those of LmdbEnv.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "storage/lmdb/lmdb_env.h"
#include "storage/seal/key_header.h"

namespace mc::storage {

// nullopt: the store is not encrypted.
Result<std::optional<std::string>> read_key_header(const LmdbEnv& env);

// From its first record on, the store is encrypted with a new data key. Requires: no record.
Result<std::unique_ptr<StoreSeal>> seal_new_store(LmdbEnv& env, const StoreKey& key);

// What the environment then uses; null for a store that is not encrypted. key: null for none.
Result<std::unique_ptr<StoreSeal>> unseal_store(LmdbEnv& env, const StoreKey* key);

// From now on another key opens the store. Requires: the environment is unsealed with this.
Result<void> change_store_key(LmdbEnv& env, const StoreSeal& seal, const StoreKey& key);

}  // namespace mc::storage
