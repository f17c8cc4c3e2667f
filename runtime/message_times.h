// SPDX-License-Identifier: Apache-2.0
// When the messages of a session happened, from what stands before them: "[2026-03-01] anna: …".
//
// A message without an event time belongs to the time of the last dated one before it. Reads the
// whole session. Threads: one. Errors: the store's.
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "runtime/event_time.h"
#include "runtime/search/bank_text.h"

namespace mc::runtime {

// From the token in which the message begins to where the next one of its list does.
struct DatedMessage {
    std::uint64_t first_token = 0;
    TimeSpan time;
};

// In order; what stands before the first of them has no event time.
Result<std::vector<DatedMessage>> dated_messages(const BankText& text,
                                                 const DocumentRecord& session);

}  // namespace mc::runtime
