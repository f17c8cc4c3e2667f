// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT as something that a thread waits for, so that a server can end what it does.
//
// From construction to destruction they do not end the process. By a handler, not by a mask: a
// library may have started threads before main(), which no mask of ours reaches. One at a time, as
// signals are a process's. Threads: wait() is for one thread, release() safe from any. Errors:
// none.
#pragma once

#include <csignal>

namespace mc::serve {

class StopSignal {
  public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    // Until one of the signals comes, or release() is called.
    void wait() const;
    void release() const;

  private:
    struct sigaction terminate_before_ {};

    struct sigaction interrupt_before_ {};
};

}  // namespace mc::serve
