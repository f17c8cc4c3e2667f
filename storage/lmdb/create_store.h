// SPDX-License-Identifier: Apache-2.0
// Makes a store whole or not at all: the database is made in a folder of its own and moved into
// place, so a data.mdb without its meta record is damage and never an unfinished creation.
// Errors: kInvalidInput for a directory that holds other things, kOutOfSpace, kIo.
#pragma once

#include <functional>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/store_types.h"

namespace mc::storage {

// A folder that its owner alone can enter; one that is there stays as it is. Its parent must exist.
Result<void> make_private_folder(const Path& folder);

// Makes the directory, or checks that it holds nothing but the traces of an interrupted creation.
Result<void> prepare_store_directory(const Path& directory);

// A data.mdb that `write` makes in a folder of its own takes the place of the directory's, if there
// is one, durably; a kill leaves the old one or the new one. Requires: the writer's lock held.
Result<void> with_draft(const Path& directory,
                        const std::function<Result<void>(const Path& draft)>& write);

// Requires: the writer's lock held, no data.mdb, options.identity present.
Result<void> create_store(const StoreOptions& options);

}  // namespace mc::storage
