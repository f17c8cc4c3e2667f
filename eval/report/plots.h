// SPDX-License-Identifier: Apache-2.0
// The plots of a run: R and Rs by condition, and the NLL along the horizon. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/measure/metrics.h"

namespace mc::eval {

struct Plot {
    std::string file_name;  // "Rs.svg"
    std::string svg;
};

// Rs.svg and R.svg: a dot with its interval for every condition, document and main slice, and
// the same of the oracle's windows where there are any; nll.svg: mean NLL of all windows by
// position, for the main conditions.
std::vector<Plot> result_plots(std::span<const GroupMetrics> groups,
                               std::span<const DocumentScores> scores);

}  // namespace mc::eval
