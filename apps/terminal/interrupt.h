// SPDX-License-Identifier: Apache-2.0
// Ctrl-C as a flag that long work looks at between two batches.
//
// The first interrupt sets the flag; the second ends the process at once with exit code 130 (the
// store then stands at its last commit). Threads: the flag is safe from any. Errors: none.
#pragma once

#include <atomic>

namespace mc::apps {

// Set by SIGINT while watched. One per process, as signals are.
std::atomic<bool>& interrupt_flag();

// Watches from construction to destruction; outside, an interrupt ends the process as usual.
class InterruptWatch {
  public:
    InterruptWatch();
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;
};

}  // namespace mc::apps
