// SPDX-License-Identifier: Apache-2.0
// The key of the settings, and what of a store's folder is encrypted with it beside its records.
// Free functions. Threads: one. Errors: those of storage/seal/store_key.h; kUsage for a passphrase
// that should be asked for where nobody can be asked.
#pragma once

#include <memory>
#include <optional>

#include "core/clock.h"
#include "core/config.h"
#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_key.h"
#include "storage/store.h"

namespace mc::runtime {

// nullopt: the settings name none.
Result<std::optional<storage::StoreKey>> store_key_of(const Config& config);

// Whether the settings name one: then the store that they open is encrypted.
bool has_key(const Config& config);

// For StoreOptions; null for none. Borrows.
inline const storage::StoreKey* pointer_to(const std::optional<storage::StoreKey>& key) {
    return key ? &*key : nullptr;
}

// The store of the settings for reading, for what needs its seal; null where there is no store yet.
// Errors: kInvalidInput where there is none and a key was given: nothing can be encrypted before
// the store is made.
Result<std::unique_ptr<storage::Store>> store_for_its_seal(const Config& config,
                                                           const Clock& clock);

// Whether the folder holds a store's file; false where nobody can say.
bool store_exists(const Path& directory);

// The passphrase that an existing encrypted store of the settings wants, where no key is given:
// the store's path for a prompt. nullopt: it wants none, or cannot say.
std::optional<std::string> wants_passphrase(const Config& config);

}  // namespace mc::runtime
