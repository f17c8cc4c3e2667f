// SPDX-License-Identifier: Apache-2.0
// What the engine thread does of its own accord: operations, what a cluster's log brings, and while
// nobody waits, gists.
// Ownership: borrows the operations. Threads: the engine's. Errors: none; the memory's status tells
// why gists could not be made.
#pragma once

#include <functional>
#include <utility>

#include "serve/http/operations.h"

namespace mc::serve {

class Chores final : public EngineQueue::Background {
  public:
    // Both: a short step; false when there is none to be done.
    Chores(Operations& operations, std::function<bool()> follow_log,
           std::function<bool()> make_gists)
        : operations_(operations),
          follow_log_(std::move(follow_log)),
          make_gists_(std::move(make_gists)) {}

    bool step() override {
        const bool has_followed = follow_log_();
        return operations_.step() || has_followed;
    }

    bool idle_step() override { return make_gists_(); }

  private:
    Operations& operations_;
    const std::function<bool()> follow_log_;
    const std::function<bool()> make_gists_;
};

}  // namespace mc::serve
