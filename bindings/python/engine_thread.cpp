// SPDX-License-Identifier: Apache-2.0
#include "bindings/python/engine_thread.h"

#include <unistd.h>

#include <exception>
#include <limits>

#include "core/check.h"

namespace mc::python {
namespace {

// Callers are threads of one program, which wait for as long as it takes.
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

}  // namespace

EngineThread::EngineThread(serve::EngineQueue::Background* background)
    : process_(::getpid()),
      queue_(kNoLimit),
      thread_([this, background] { queue_.serve(background); }) {}

EngineThread::~EngineThread() {
    queue_.close();
    thread_.join();
}

bool EngineThread::is_of_this_process() const {
    return process_ == ::getpid();
}

Result<void> EngineThread::run_and_wait(const std::function<void()>& work, serve::Order order) {
    if (!is_of_this_process())
        return fail(ErrorCode::kUsage,
                    "opened by process " + std::to_string(process_) +
                        ", from which this one was forked: open it in the process that uses it");
    auto place = queue_.admit();
    MC_CHECK(place.has_value(), "the queue is open as long as its thread's owner");
    std::exception_ptr thrown;
    place->run(
        [&] {
            try {
                work();
            } catch (...) {
                thrown = std::current_exception();
            }
        },
        order);
    if (thrown) std::rethrow_exception(thrown);
    return {};
}

}  // namespace mc::python
