// SPDX-License-Identifier: Apache-2.0
#include "serve/stop_signal.h"

#include <semaphore.h>

#include <cerrno>

namespace mc::serve {
namespace {

// What a handler may post to; one per process, as signals are.
sem_t& asked_to_stop() {
    static sem_t semaphore;
    return semaphore;
}

void on_signal(int) {
    const int error_number = errno;
    sem_post(&asked_to_stop());
    errno = error_number;
}

}  // namespace

StopSignal::StopSignal() {
    sem_init(&asked_to_stop(), 0, 0);

    struct sigaction action {};

    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, &terminate_before_);
    sigaction(SIGINT, &action, &interrupt_before_);
}

StopSignal::~StopSignal() {
    sigaction(SIGTERM, &terminate_before_, nullptr);
    sigaction(SIGINT, &interrupt_before_, nullptr);
}

void StopSignal::wait() const {
    while (sem_wait(&asked_to_stop()) != 0 && errno == EINTR) {
    }
}

void StopSignal::release() const {
    sem_post(&asked_to_stop());
}

}  // namespace mc::serve
