// SPDX-License-Identifier: Apache-2.0
// The thread of an engine inside a process that has threads of its own, as Python does.
//
// A caller may be any thread; its work is done on this one, questions first, while it waits
// (docs/adr/0005-one-engine-thread.md). A lock would not do: libgomp keeps the number of threads
// for each thread that asks. Threads: run() is safe from many. Errors: kUsage in a process that was
// forked off, where the thread is missing; what the work threw is thrown again to who asked.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "core/result.h"
#include "serve/http/engine_queue.h"

namespace mc::python {

class EngineThread {
  public:
    // background: what the thread does while nobody asks, from the first call on; null for nothing.
    // Borrowed.
    explicit EngineThread(serve::EngineQueue::Background* background = nullptr);
    // Requires: is_of_this_process(), and nobody waits in run().
    ~EngineThread();
    EngineThread(const EngineThread&) = delete;
    EngineThread& operator=(const EngineThread&) = delete;

    // Does the work, which returns a Result, and returns what it returned.
    template <class Work>
    std::invoke_result_t<Work> run(Work&& work, serve::Order order = serve::Order::kInTurn) {
        std::optional<std::invoke_result_t<Work>> result;
        MC_TRY(run_and_wait([&] { result.emplace(work()); }, order));
        return std::move(*result);
    }

    bool is_of_this_process() const;

  private:
    Result<void> run_and_wait(const std::function<void()>& work, serve::Order order);

    pid_t process_;
    serve::EngineQueue queue_;
    std::thread thread_;
};

}  // namespace mc::python
