// SPDX-License-Identifier: Apache-2.0
// A version of a document into another store, with gists of that store's own.
//
// One transaction: a kill leaves all of it or nothing, and one that is there already is left alone.
// Ownership: borrows both sessions. Threads: one; `cancelled` may be set from a signal handler.
// Errors: those of reading and of storage::import_encoding(). Cost: as an ingest of its text.
#pragma once

#include <atomic>

#include "core/result.h"
#include "runtime/bank_session.h"

namespace mc::runtime {

// Requires: the target's engine has its model.
Result<void> copy_version(BankSession& from, const DocumentRecord& version, BankSession& to,
                          bool with_statistics, const std::atomic<bool>* cancelled);

}  // namespace mc::runtime
