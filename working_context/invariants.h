// SPDX-License-Identifier: Apache-2.0
// The laws of a working context, callable from tests, simulation and verify.
//
// Recomputes everything from the entries and trusts no counter of the window. Pure function.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "working_context/window.h"

namespace mc {

// One line per broken law; empty when all hold: cost ≤ budget and counted right; selections in
// order; ranges covered once, contiguously; runs within one block; gists complete and aligned;
// protected tokens raw.
std::vector<std::string> window_violations(const Window& window);

// kCorruption with the first violation and their number.
Result<void> check_window(const Window& window);

}  // namespace mc
