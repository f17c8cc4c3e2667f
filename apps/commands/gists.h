// SPDX-License-Identifier: Apache-2.0
// Making the gists that a bank's documents wait for, with a bar and, for people, a line for each
// document.
#pragma once

#include <cstdint>

#include "apps/commands/command.h"

namespace mc::apps {

struct MadeGists {
    std::uint64_t documents = 0;
    std::uint64_t tokens = 0;
    std::uint64_t gists = 0;
};

// Errors: kCancelled after the step in hand; what is made stays.
Result<MadeGists> make_waiting_gists(Invocation& invocation, runtime::BankSession& bank,
                                     bool with_statistics);

}  // namespace mc::apps
