// SPDX-License-Identifier: Apache-2.0
// What the engine thread does of its own accord: operations, and while nobody waits, gists.
// Ownership: borrows the operations. Threads: the engine's. Errors: none; the memory's status tells
// why gists could not be made.
#pragma once

#include <functional>
#include <utility>

#include "serve/http/operations.h"

namespace mc::serve {

class Chores final : public EngineQueue::Background {
  public:
    // make_gists: a short step; false when there is none to be done.
    Chores(Operations& operations, std::function<bool()> make_gists)
        : operations_(operations), make_gists_(std::move(make_gists)) {}

    bool step() override { return operations_.step(); }

    bool idle_step() override { return make_gists_(); }

  private:
    Operations& operations_;
    const std::function<bool()> make_gists_;
};

}  // namespace mc::serve
