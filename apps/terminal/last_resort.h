// SPDX-License-Identifier: Apache-2.0
// Where an exception ends that no fence caught: one error line and an exit status of its own,
// instead of an abort.
#pragma once

#include <functional>

#include "apps/terminal/output.h"

namespace mc::apps {

// EX_SOFTWARE of sysexits.h: a fault of the program. No error class has it.
inline constexpr int kExitInternal = 70;

// What body returns; kExitInternal, and a line on out's messages, when it throws anything.
int run_with_last_resort(Output& out, const std::function<int()>& body);

}  // namespace mc::apps
