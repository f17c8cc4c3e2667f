// SPDX-License-Identifier: Apache-2.0
// Says again and again that a process lives, whatever else it does.
// Ownership: owns its thread, which ends with it. Threads: beat is called on that one.
#pragma once

#include <functional>
#include <thread>

namespace mc::ranks {

class Heart {
  public:
    // None that beats.
    Heart() = default;
    // beat: called now and every second, until it gives false.
    explicit Heart(std::function<bool()> beat);

  private:
    std::jthread thread_;
};

}  // namespace mc::ranks
