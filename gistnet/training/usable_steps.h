// SPDX-License-Identifier: Apache-2.0
// Stops a training run whose steps teach nothing: loss or gradient not finite (adam_step() leaves
// the parameters alone then). One such step may come of an odd text; several in a row do not pass.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace mc::gistnet {

class UsableSteps {
  public:
    // Takes note of a step. Errors: kModel at the fifth useless step in a row, and at the last step
    // of a run that had no other.
    Result<void> take(std::uint64_t step, std::uint64_t total_steps, double loss,
                      double gradient_norm) {
        const bool is_useless = !std::isfinite(loss) || !std::isfinite(gradient_norm);
        useless_in_a_row_ = is_useless ? useless_in_a_row_ + 1 : 0;
        if (useless_in_a_row_ < kUselessMax && (!is_useless || useless_in_a_row_ < total_steps))
            return {};
        return fail(ErrorCode::kModel,
                    "loss or gradient was not finite in step " + std::to_string(step) + " and " +
                        std::to_string(useless_in_a_row_ - 1) +
                        " before it; no weights were written, and the last checkpoint, if there "
                        "is one, is of a step that was sound");
    }

    bool last_was_useful() const { return useless_in_a_row_ == 0; }

  private:
    static constexpr std::uint64_t kUselessMax = 5;

    std::uint64_t useless_in_a_row_ = 0;
};

}  // namespace mc::gistnet
