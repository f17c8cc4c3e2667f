// SPDX-License-Identifier: Apache-2.0
// Gists that another store made: whether the store of the settings takes them as they are.
// Threads: free. Errors: those of opening a store and of reading a codebook.
#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"
#include "storage/store.h"

namespace mc::runtime {

// What the store of the settings says of itself; nullopt where there is none.
Result<std::optional<storage::StoreMeta>> existing_store(const Config& config, const Clock& clock);

// Why gists of a store that says `theirs` cannot stand in the store of the settings, which is
// `existing` or has still to be made; empty: they can.
Result<std::string> why_not_their_gists(const Config& config, const storage::StoreMeta& theirs,
                                        const std::optional<storage::StoreMeta>& existing);

// Makes the store of the settings for such gists. Requires: there is none, and they can stand in
// it.
Result<void> make_store_for(const Config& config, const storage::StoreMeta& theirs,
                            const Clock& clock);

}  // namespace mc::runtime
