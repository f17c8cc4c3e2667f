// SPDX-License-Identifier: Apache-2.0
#include "ranks/heart.h"

#include <chrono>
#include <condition_variable>
#include <utility>

#include "core/mutex.h"

namespace mc::ranks {
namespace {

constexpr std::chrono::seconds kBeat(1);

void go_on(const std::stop_token& stop, const std::function<bool()>& beat) {
    Mutex mutex;
    std::condition_variable_any ends;
    const ScopedLock lock(mutex);
    while (!stop.stop_requested() && beat())
        ends.wait_for(mutex, stop, kBeat, [&] { return stop.stop_requested(); });
}

}  // namespace

Heart::Heart(std::function<bool()> beat)
    : thread_([beat = std::move(beat)](const std::stop_token& stop) { go_on(stop, beat); }) {}

}  // namespace mc::ranks
