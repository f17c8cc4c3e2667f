// SPDX-License-Identifier: Apache-2.0
// Takes what batch_maker.h made into a bank that follows a log.
//
// A document and the log's position become durable in one transaction, so a kill leaves both or
// neither, and an entry that is met again changes nothing. Gists are taken as they are. Threads:
// one. Errors, with nothing changed: kModelMismatch for gists of other models than the store's,
// which no later entry would fit either; kCorruption; the store's.
#pragma once

#include <cstdint>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/result.h"
#include "runtime/bank_session.h"
#include "tree/log_position.h"

namespace mc::runtime {

struct AppliedBatch {
    bool was_there = false;        // the bank had the same content under that name
    std::uint64_t tokens = 0;      // that were added
    std::optional<Error> refused;  // the document cannot stand in the bank; it is passed over
};

// position: of the entry whose batch this is. The text can be found after the session's
// index_now().
Result<AppliedBatch> apply_batch(BankSession& session, const Path& file,
                                 const LogPosition& position);

}  // namespace mc::runtime
