// SPDX-License-Identifier: Apache-2.0
// A bare number becomes an id only where somebody says so.
// MUST_SAY: no matching function
#include "core/span_math.h"

mc::TokenSpan first_block() {
#ifdef MC_WRONG
    return mc::span_of(1, 0);
#else
    return mc::span_of(mc::Level(1), mc::NodeIndex(0));
#endif
}
