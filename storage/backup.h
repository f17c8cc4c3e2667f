// SPDX-License-Identifier: Apache-2.0
// A copy of a store as it was at one commit, made while others read and write the store.
//
// data.mdb alone is copied, without its free pages: indexes are caches, and keys that let agents in
// belong to the store that gave them. The copy is made in "DESTINATION.new", checked there, synced
// and renamed, so that a kill leaves a whole store at the destination or nothing; what it leaves
// beside it, the next backup to the same place takes over. Requires: the process has the store not
// open otherwise. Threads: one. Errors, with nothing left at either place: kInvalidInput for a
// destination that exists, lies in the store or cannot be made; kLocked while another backup to the
// same place runs; kOutOfSpace; those of opening the store and of `check`.
#pragma once

#include <functional>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/recode_store.h"

namespace mc::storage {

// check: called with the folder of the finished copy, which it may open; an error of it ends the
// backup. Cost: reads and writes what the store holds.
Result<void> back_up_store(const Path& directory, const Path& destination,
                           const std::function<Result<void>(const Path& copy)>& check);

// As above, with the copy encrypted, or not encrypted any more. The key of the store's own copy
// is its own: it is encrypted with a new data key. Errors: kKey too.
Result<void> back_up_recoded(const Path& directory, const Path& destination, const Recoding& keys,
                             const std::function<Result<void>(const Path& copy)>& check);

}  // namespace mc::storage
