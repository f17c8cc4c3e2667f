// SPDX-License-Identifier: Apache-2.0
// A node that a search found. Value type.
#pragma once

#include "core/ids.h"

namespace mc {

// Higher scores are better; scales differ between searches.
struct SearchHit {
    NodeId node;
    float score = 0;
};

}  // namespace mc
