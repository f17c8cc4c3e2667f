// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "core/error.h"

namespace mc::apps {
namespace {

// A signal handler can reach nothing but static storage.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "usable in a signal handler");

void on_interrupt(int) {
    if (interrupted.exchange(true)) _exit(static_cast<int>(ErrorCode::kCancelled));
}

void set_handler(void (*handler)(int)) {
    struct sigaction action {};

    action.sa_handler = handler;
    // No SA_RESTART: a read of the terminal or of a pipe is to return.
    sigaction(SIGINT, &action, nullptr);
}

}  // namespace

std::atomic<bool>& interrupt_flag() {
    return interrupted;
}

InterruptWatch::InterruptWatch() {
    interrupted = false;
    set_handler(on_interrupt);
}

InterruptWatch::~InterruptWatch() {
    set_handler(SIG_DFL);
}

}  // namespace mc::apps
