// SPDX-License-Identifier: Apache-2.0
// What a rendering may still spend. Value type. Errors: kInvalidInput when it is spent.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace mc::lm::jinja {

class Budget {
  public:
    Budget(std::uint64_t steps, std::uint64_t text_bytes) : steps_(steps), bytes_(text_bytes) {}

    Result<void> spend_steps(std::uint64_t steps) {
        if (steps > steps_) return fail(ErrorCode::kInvalidInput, "the template takes too long");
        steps_ -= steps;
        return {};
    }

    Result<void> spend_text(std::uint64_t bytes) {
        if (bytes > bytes_)
            return fail(ErrorCode::kInvalidInput, "the template makes too much text");
        bytes_ -= bytes;
        return {};
    }

    // A search may compare every byte of one text with every byte of the other.
    Result<void> spend_search(std::size_t text_size, std::size_t wanted_size) {
        return spend_steps(1 + text_size * (wanted_size + 16) / 4096);
    }

  private:
    std::uint64_t steps_;
    std::uint64_t bytes_;
};

}  // namespace mc::lm::jinja
