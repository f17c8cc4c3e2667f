// SPDX-License-Identifier: Apache-2.0
// Units of work that ranks share, and what each came to.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ranks/rank_group.h"

namespace mc::ranks {

// Does every world-th unit from the rank's own number on, and returns the results of all units, in
// their order, whoever did them. Requires: ranks agree on how many units there are. Errors: those
// of work and of the group; kCorruption for results that are none. Cost: one gather().
Result<std::vector<std::string>> share_work(
    RankGroup& group, std::size_t units,
    const std::function<Result<std::string>(std::size_t unit)>& work);

}  // namespace mc::ranks
