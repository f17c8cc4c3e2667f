// SPDX-License-Identifier: Apache-2.0
// How long nobody must have asked before the engine does what can wait: who asks again at once
// waits for none of it.
#pragma once

#include <chrono>

namespace mc::serve {

inline constexpr std::chrono::milliseconds kRest(250);

}  // namespace mc::serve
